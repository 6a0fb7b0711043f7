"""One batch, one load job, one commit: the landing table holds each batch whole, once.

The job id is derived from the query and the batch, so a batch that is rerun (after a kill, by newer code, by a second
driver) finds its own job instead of starting another:

    csat-<query id>-<batch id>-a<attempt>

The next attempt starts only after an error of the last one, which leaves no rows.
"""

import itertools
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from typing import Protocol

from pyspark.sql import DataFrame

from csat.contract import landing
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from spark.load_budget import LoadBudget
from spark.staging import StagedFile, discard, stage
from spark.waiting import Waiting

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
_RESUBMIT_SECONDS = (1, 5, 15, 30)
_QUOTA_SECONDS = 120  # failed load jobs count against the quota, too


class Outcome(Enum):
    """The outcome of a load job."""

    DONE = "done"
    FAILED = "failed"  # another attempt may succeed
    OVER_QUOTA = "over quota"  # another attempt will succeed once BigQuery allows it
    REFUSED = "refused"  # no attempt will
    MISSING = "missing"  # BigQuery does not know it: the submit may not have arrived, or is not visible yet


class LoadJobs(Protocol):
    """What the sink needs from BigQuery."""

    def find(self, job_id: str) -> bool:
        """Whether a job with this id was ever submitted."""

    def submit(self, job_id: str, uris: Sequence[str]) -> None:
        """Start a job that loads these files, unless one with this id was submitted."""

    def wait(self, job_id: str) -> tuple[Outcome, int, str]:
        """Outcome, rows loaded and error of a job, once it ended."""


class LandingSink:
    """Lands batches of the topic with this id. `fence` raises CsatError if this driver must no longer write."""

    def __init__(
        self,
        settings: Settings,
        jobs: LoadJobs,
        fence: Callable[[], None],
        budget: LoadBudget,
        topic_id: str,
        waiting: Waiting | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        self._fence = fence
        self._topic_id = topic_id
        self.budget = budget
        self.waiting = waiting or Waiting()
        self._sleep = sleep
        self._may_be_replay = True  # only a run's first batch can have been submitted by another run
        self.rows_committed = 0
        self.current_batch = ""

    def write(self, messages: DataFrame, batch_number: int) -> None:
        """Land one batch of `messages`, as `landing_rows` expects them. For foreachBatch."""
        query_id = str(messages.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId"))
        batch_id = f"{query_id}-{batch_number}"
        self.current_batch = batch_id
        folder = f"{self._settings.staging_uri}/{query_id}/{batch_number}"
        self.rows_committed += self._land(batch_id, lambda: self._stage(messages, folder, batch_id))
        self._may_be_replay, self.current_batch = False, ""
        discard(self._settings, folder)

    def _land(self, batch_id: str, stage: Callable[[], list[StagedFile]]) -> int:
        files = cache(stage)
        error, tries = "", 0
        for attempt in itertools.count(1):
            job_id = f"{landing.LOAD_JOB_PREFIX}{batch_id}-a{attempt}"
            is_of_earlier_run = self._may_be_replay and self._jobs.find(job_id)
            if not is_of_earlier_run:
                if tries == MAX_ATTEMPTS:
                    break
                tries += 1
                if not files():
                    return 0
                self.budget.take()
                self._submit(job_id, files())
            outcome, row_count, error = self._end(job_id, files)
            if outcome is Outcome.DONE:
                logger.info("Landed %d rows by %s", row_count, job_id)
                return row_count
            if is_of_earlier_run:  # it left no rows, and its cause may be fixed by now
                continue
            if outcome is Outcome.REFUSED:
                raise CsatError(f"BigQuery refused {job_id}: {error}")
            logger.warning("Load job %s failed: %s", job_id, error)
            if outcome is Outcome.OVER_QUOTA:
                tries -= 1
                self.budget.pause(_QUOTA_SECONDS)
                continue
            with self.waiting.on(f"another attempt, after {job_id} failed"):
                self._sleep(min(2**tries, 30))
        raise CsatError(f"{MAX_ATTEMPTS} load jobs of batch {batch_id} failed; the last error: {error}")

    def _submit(self, job_id: str, files: list[StagedFile]) -> None:
        self._fence()  # after every wait: another driver may have started meanwhile
        self._jobs.submit(job_id, [file.uri for file in files])

    def _end(self, job_id: str, files: Callable[[], list[StagedFile]]) -> tuple[Outcome, int, str]:
        """How the job ended. One that BigQuery does not know is submitted again, under its own id.

        If the first submit arrives after all, one of the two is refused as known; under another id, both would land.
        """
        for wait in _RESUBMIT_SECONDS:
            outcome, row_count, error = self._jobs.wait(job_id)
            if outcome is not Outcome.MISSING:
                return outcome, row_count, error
            logger.warning("%s: submitting it again in %d s", error, wait)
            with self.waiting.on(f"load job {job_id}, which BigQuery does not know"):
                self._sleep(wait)
            self._submit(job_id, files())
        outcome, row_count, error = self._jobs.wait(job_id)
        if outcome is Outcome.MISSING:
            raise CsatError(f"{error} after {len(_RESUBMIT_SECONDS) + 1} submits")
        return outcome, row_count, error

    def _stage(self, messages: DataFrame, folder: str, batch_id: str) -> list[StagedFile]:
        return stage(messages, self._settings, f"{folder}/{uuid.uuid4().hex}", batch_id, self._topic_id)
