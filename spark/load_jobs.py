"""BigQuery load jobs by id: the client that the sink's exactly-once guarantee relies on.

A job id can be used only once. `submit` therefore starts a job or finds the one that an earlier run started under the
same id, and never starts two.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.api_core.exceptions import Conflict, Forbidden, NotFound
from google.cloud import bigquery
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    wait_exponential,
)

from csat.bigquery.client import Warehouse, WarehouseOverQuotaError, WarehouseUnreachableError
from csat.bigquery.landing_counts import batch_rows
from csat.contract import landing
from csat.contract.google_errors import QUOTA_REASONS, is_over_quota, text_of
from csat.contract.settings import Settings
from spark.sink import Outcome
from spark.waiting import Waiting

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

# BigQuery's reasons for invalid data or requests: the same job would fail again.
_FINAL_REASONS = {"invalid", "invalidQuery", "notFound", "accessDenied", "billingNotEnabled", "duplicate"}
_POLLS = wait_exponential(multiplier=0.05, exp_base=1.5, max=2)  # seconds
_MAX_RETRY_SECONDS = 10


class BigQueryLoadJobs:
    """Load jobs into the landing table. Retries while BigQuery is unreachable or refuses for a quota."""

    def __init__(
        self, warehouse: Warehouse, waiting: Waiting | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._warehouse = warehouse
        self._settings: Settings = warehouse.settings
        self._waiting = waiting or Waiting()
        self._sleep = sleep
        self._until_reachable = Retrying(
            retry=retry_if_exception_type((WarehouseUnreachableError, WarehouseOverQuotaError)),
            wait=wait_exponential(max=_MAX_RETRY_SECONDS),
            sleep=sleep,
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

        self._patiently(self._warehouse.errors()(insert))

    def wait(self, job_id: str) -> tuple[Outcome, int, str]:
        """Outcome, rows loaded and error of a job, once it ended: until then it may still land its rows."""
        is_running = retry_if_result(lambda job: job is not None and job.state != "DONE")
        with self._waiting.on(f"load job {job_id}"):
            job = Retrying(retry=is_running, wait=_POLLS, sleep=self._sleep)(self._get, job_id)
        if job is None:
            return Outcome.MISSING, 0, f"job {job_id} does not exist"
        if self._settings.endpoint and (job.error_result or {}).get("reason") == "backendError":
            return self._outcome_of_interrupted(job_id)
        return _outcome(job)

    def wait_for_pending(self) -> None:
        """Wait until no load job into the landing table is pending or running, whoever submitted it."""
        for job_id in self._patiently(self._warehouse.errors()(self._pending)):
            logger.warning("Waiting for load job %s of an earlier run", job_id)
            self.wait(job_id)

    def _pending(self) -> list[str]:
        """The ids of the load jobs that have not ended; only this account's where it may not list those of others."""
        if self._settings.endpoint:
            return self._listed(all_users=None)
        try:
            return self._listed(all_users=True)
        except Forbidden as error:
            if is_over_quota(error):
                raise
            logger.warning("Cannot list the load jobs of other accounts (bigquery.jobs.listAll): %s", text_of(error))
            return self._listed(all_users=None)

    def _listed(self, *, all_users: bool | None) -> list[str]:
        jobs = [
            job
            for state in ("pending", "running")
            for job in self._warehouse.client.list_jobs(
                all_users=all_users,
                state_filter=state,
                retry=self._warehouse.retry,
                timeout=self._settings.bigquery_timeout_seconds,
            )
        ]
        return [str(job.job_id) for job in jobs if self._is_ours(job)]

    def _is_ours(self, job: object) -> bool:
        """Whether a stream submitted the job and it loads into this landing table: a project may hold several."""
        return (
            isinstance(job, bigquery.LoadJob)
            and str(job.job_id).startswith(landing.LOAD_JOB_PREFIX)
            and str(job.destination) == self._settings.table("raw", landing.TABLE)
        )

    def _outcome_of_interrupted(self, job_id: str) -> tuple[Outcome, int, str]:
        """The emulator ended while it ran the job: the landing table shows whether it had committed the rows."""
        batch_id = job_id.removeprefix(landing.LOAD_JOB_PREFIX).rpartition("-a")[0]
        count = self._patiently(lambda: batch_rows(self._warehouse, batch_id))
        return (Outcome.DONE, count, "") if count else (Outcome.FAILED, 0, f"the emulator ended during {job_id}")

    def _patiently(self, call: Callable[[], Result]) -> Result:
        """The result of a call, repeated while BigQuery is unreachable or refuses it for a quota."""
        with self._waiting.later("BigQuery, which does not respond or refuses for a quota") as begin_wait:

            def warn(state: RetryCallState) -> None:
                begin_wait()
                _warn(state)

            return self._until_reachable.copy(before_sleep=warn)(call)

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

        return self._patiently(self._warehouse.errors()(get))


def _warn(state: RetryCallState) -> None:
    logger.warning("%s Retrying in %.0f s.", state.outcome and state.outcome.exception(), state.upcoming_sleep)


def _outcome(job: bigquery.LoadJob) -> tuple[Outcome, int, str]:
    if not job.error_result:
        return Outcome.DONE, int(job.output_rows or 0), ""
    reason = job.error_result.get("reason", "")
    message = f"{reason}: {job.error_result.get('message', '')}"
    if reason in QUOTA_REASONS:
        return Outcome.OVER_QUOTA, 0, message
    return (Outcome.REFUSED if reason in _FINAL_REASONS else Outcome.FAILED), 0, message
