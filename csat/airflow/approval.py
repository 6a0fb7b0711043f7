"""Requests approval in Airflow's web UI before something that takes long, costs money, or gives up records."""

from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowException

from csat.contract.settings import get_settings
from csat.control.state_files import StateFiles


class ApprovalUnlessOperator(ApprovalOperator):
    """Waits for an approval, unless the DAG run's parameter `unless` is set. A rejection skips the downstream tasks."""

    def __init__(self, *, unless: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unless = unless

    def execute(self, context: Any) -> Any:
        """Request approval, or continue at once."""
        if context["params"][self.unless]:
            self.log.info("No approval needed: %s is set.", self.unless)
            return None
        return super().execute(context)


class LossApprovalOperator(ApprovalOperator):
    """Requests approval of the loss that `csat stream show-loss --as <shown_id>` kept; its places are in the request.

    It reads them from the state files, since a Cloud Run job returns no result.
    """

    template_fields = (*ApprovalOperator.template_fields, "shown_id")
    body: str | None

    def __init__(self, *, shown_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shown_id = shown_id

    def execute(self, context: Any) -> Any:
        """Request approval. Raises StateFileError, and AirflowException if another loss was shown since then."""
        loss = StateFiles(get_settings().state_files).shown_loss()
        if loss is None or loss.shown_id != self.shown_id:
            raise AirflowException(f"no loss was shown as {self.shown_id}, or another one since then: trigger a run")
        places = "\n".join(f"- {one}" for one in loss.ranges)
        self.body = f"{loss.count:,} records of {loss.ranges[0].kafka_topic}, by offset:\n\n{places}\n\n{self.body}"
        return super().execute(context)
