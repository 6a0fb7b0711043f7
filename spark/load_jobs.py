"""BigQuery load jobs by id: the client that the sink's exactly-once guarantee relies on.

A job id can be used only once. `submit` therefore starts a job or finds the one that an earlier run started under the
same id, and never starts two.
"""

import logging
import time
from collections.abc import Callable, Sequence

from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    stop_never,
    wait_exponential,
)

from csat.bigquery.client import Warehouse, WarehouseUnreachableError
from csat.contract import landing
from csat.contract.settings import Settings
from spark.sink import Outcome

logger = logging.getLogger(__name__)

# BigQuery's reasons for invalid data or requests: the same job would fail again.
_FINAL_REASONS = {"invalid", "invalidQuery", "notFound", "accessDenied", "billingNotEnabled", "duplicate"}
_POLLS = wait_exponential(multiplier=0.05, exp_base=1.5, max=2)  # seconds
_MAX_RETRY_SECONDS = 10


class BigQueryLoadJobs:
    """Load jobs into the landing table. Retries while BigQuery is unreachable."""

    def __init__(
        self,
        warehouse: Warehouse,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._warehouse = warehouse
        self._settings: Settings = warehouse.settings
        self._sleep = sleep
        self._until_reachable = Retrying(
            retry=retry_if_exception_type(WarehouseUnreachableError),
            wait=wait_exponential(max=_MAX_RETRY_SECONDS),
            sleep=sleep,
            before_sleep=_warn,
        )

    def find(self, job_id: str) -> bool:
        """Whether a job with this id was ever submitted."""
        return self._get(job_id) is not None

    def submit(self, job_id: str, uris: Sequence[str]) -> None:
        """Start a load of these files; if the id is already used, the job was started before."""
        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET,
            write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        )
        settings = self._settings

        def insert() -> None:
            try:
                self._warehouse.client.load_table_from_uri(
                    list(uris),
                    settings.table("raw", landing.TABLE),
                    job_id=job_id,
                    location=settings.location,
                    job_config=config,
                    retry=self._warehouse.retry,
                    timeout=settings.bigquery_timeout_seconds,
                )
            except Conflict:
                logger.info("Job %s was already submitted: waiting for it", job_id)

        self._until_reachable(self._warehouse.errors()(insert))

    def wait(self, job_id: str) -> tuple[Outcome, int, str]:
        """Outcome, rows loaded and error of a job. Only jobs of the emulator can be stuck."""
        stuck_seconds = self._settings.bigquery_stuck_job_seconds
        until_done = Retrying(
            retry=retry_if_result(lambda job: job is not None and job.state != "DONE"),
            wait=_POLLS,
            stop=stop_after_delay(stuck_seconds) if self._settings.endpoint else stop_never,
            sleep=self._sleep,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        job = until_done(self._get, job_id)
        if job is None:
            return Outcome.FAILED, 0, f"job {job_id} does not exist"
        if job.state != "DONE":
            return Outcome.STUCK, 0, f"job {job_id} is still {job.state} after {stuck_seconds:g} s"
        return _outcome(job)

    def count_rows(self, batch_id: str) -> int:
        """Rows of the landing table with this batch_id."""
        table = self._settings.table("raw", landing.TABLE)
        sql = f"select count(*) as row_count from `{table}` where batch_id = @batch_id"
        return int(self._until_reachable(self._warehouse.rows, sql, batch_id=batch_id)[0]["row_count"])

    def _get(self, job_id: str) -> "bigquery.LoadJob | None":
        def get() -> "bigquery.LoadJob | None":
            try:
                return self._warehouse.client.get_job(  # type: ignore[return-value]  # the id is a load job's
                    job_id,
                    location=self._settings.location,
                    retry=self._warehouse.retry,
                    timeout=self._settings.bigquery_timeout_seconds,
                )
            except NotFound:
                return None

        return self._until_reachable(self._warehouse.errors()(get))


def _warn(state: RetryCallState) -> None:
    logger.warning("%s Retrying in %.0f s.", state.outcome and state.outcome.exception(), state.upcoming_sleep)


def _outcome(job: bigquery.LoadJob) -> tuple[Outcome, int, str]:
    if not job.error_result:
        return Outcome.DONE, int(job.output_rows or 0), ""
    reason = job.error_result.get("reason", "")
    message = f"{reason}: {job.error_result.get('message', '')}"
    return (Outcome.REFUSED if reason in _FINAL_REASONS else Outcome.FAILED), 0, message
