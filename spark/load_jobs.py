"""BigQuery load jobs by id: the client that the sink's exactly-once guarantee relies on.

A job id can be used only once. `submit` therefore starts a job or finds the one that an earlier run started under the
same id, and never starts two.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery

from csat.bigquery.client import Warehouse, WarehouseUnreachableError
from csat.contract import landing
from csat.contract.settings import Settings
from spark.sink import Outcome

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

# BigQuery's reasons for invalid data or requests: the same job would fail again.
_FINAL_REASONS = {"invalid", "invalidQuery", "notFound", "accessDenied", "billingNotEnabled", "duplicate"}
_POLL_SECONDS = (0.05, 2.0)


class BigQueryLoadJobs:
    """Load jobs into the landing table. Retries while BigQuery is unreachable."""

    def __init__(
        self,
        warehouse: Warehouse,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._warehouse = warehouse
        self._settings: Settings = warehouse.settings
        self._clock = clock
        self._sleep = sleep

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

        self._until_reachable(insert)

    def wait(self, job_id: str) -> tuple[Outcome, int, str]:
        """Outcome, rows loaded and error of a job. Only jobs of the emulator can be stuck."""
        pause, longest = _POLL_SECONDS
        start = self._clock()
        while True:
            job = self._get(job_id)
            if job is None:
                return Outcome.FAILED, 0, f"job {job_id} does not exist"
            if job.state == "DONE":
                return _outcome(job)
            waited = self._clock() - start
            if self._settings.endpoint and waited > self._settings.bigquery_stuck_job_seconds:
                return Outcome.STUCK, 0, f"job {job_id} is still {job.state} after {waited:.0f} s"
            self._sleep(pause)
            pause = min(pause * 1.5, longest)

    def count_rows(self, batch_id: str) -> int:
        """Rows of the landing table with this batch_id."""
        table = self._settings.table("raw", landing.TABLE)
        sql = f"select count(*) as row_count from `{table}` where batch_id = @batch_id"
        return int(self._until_reachable(lambda: self._warehouse.rows(sql, batch_id=batch_id))[0]["row_count"])

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

        return self._until_reachable(get)

    def _until_reachable(self, operation: Callable[[], Result]) -> Result:
        pause = 1.0
        while True:
            try:
                with self._warehouse.errors():
                    return operation()
            except WarehouseUnreachableError as error:
                logger.warning("%s Retrying in %.0f s.", error, pause)
                self._sleep(pause)
                pause = min(pause * 2, 10)


def _outcome(job: bigquery.LoadJob) -> tuple[Outcome, int, str]:
    if not job.error_result:
        return Outcome.DONE, int(job.output_rows or 0), ""
    reason = job.error_result.get("reason", "")
    message = f"{reason}: {job.error_result.get('message', '')}"
    return (Outcome.REFUSED if reason in _FINAL_REASONS else Outcome.FAILED), 0, message
