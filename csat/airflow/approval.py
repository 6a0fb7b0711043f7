"""Requests approval in Airflow's web UI before something that takes long or costs money."""

from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator


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
