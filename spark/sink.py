"""One batch, one load job, one commit: the landing table holds each batch whole, once.

The job's id follows from the query and the batch, so a batch that is run again (after a kill, by newer code, by a
second driver) finds its own job instead of making another:

    csat-<query id>-<batch id>-a<attempt>

An attempt is only followed by the next when it ended with an error, which leaves no row behind.
"""

import itertools
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

from pyspark.sql import DataFrame

from csat import landing
from csat.settings import Settings
from spark.load_budget import LoadBudget
from spark.staging import StagedFile, discard, stage

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5


class Outcome(Enum):
    """How a load job stands."""

    DONE = "done"
    FAILED = "failed"  # another attempt may succeed
    REFUSED = "refused"  # no attempt will
    STUCK = "stuck"  # says RUNNING for longer than it can: its server was killed


class LoadJobs(Protocol):
    """What the sink needs of BigQuery."""

    def find(self, job_id: str) -> bool:
        """Whether a job of this id was ever submitted."""

    def submit(self, job_id: str, uris: Sequence[str]) -> None:
        """Start a job that loads these files, unless one of this id was."""

    def wait(self, job_id: str) -> tuple[Outcome, int, str]:
        """Outcome, rows loaded and error of a job, once it ended or is stuck."""

    def count_rows(self, batch_id: str) -> int:
        """Rows of the landing table with this batch_id."""


class SupersededError(Exception):
    """Another driver has the stream now; this one must not write."""


class BatchRefusedError(Exception):
    """BigQuery will not take this batch; the message holds its word."""


class LandingSink:
    """Lands batches of messages. `fence` raises SupersededError when this driver must not write any more."""

    def __init__(
        self,
        settings: Settings,
        jobs: LoadJobs,
        fence: Callable[[], None],
        budget: LoadBudget,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        self._fence = fence
        self.budget = budget
        self._sleep = sleep
        self._may_be_replay = True  # only the first batch of a life can have been submitted by another
        self.rows_committed = 0
        self.batch_in_hand = ""

    def write(self, messages: DataFrame, batch_number: int) -> None:
        """Land one batch of `messages`, as `landing_rows` takes them. For foreachBatch."""
        query_id = str(messages.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId"))
        batch_id = f"{query_id}-{batch_number}"
        self.batch_in_hand = batch_id
        folder = f"{self._settings.staging_uri}/{query_id}/{batch_number}"
        self.rows_committed += self._land(batch_id, lambda: self._stage(messages, folder, batch_id))
        self._may_be_replay, self.batch_in_hand = False, ""
        discard(self._settings, folder)

    def _land(self, batch_id: str, stage: Callable[[], list[StagedFile]]) -> int:
        files: list[StagedFile] | None = None
        error, tries = "", 0
        for attempt in itertools.count(1):
            job_id = f"{landing.LOAD_JOB_PREFIX}{batch_id}-a{attempt}"
            is_of_earlier_life = self._may_be_replay and self._jobs.find(job_id)
            if not is_of_earlier_life:
                if tries == MAX_ATTEMPTS:
                    break
                tries += 1
                files = stage() if files is None else files
                if not files:
                    return 0
                self.budget.take()
                self._fence()  # behind the wait for a job, in which another driver may have come
                self._jobs.submit(job_id, [file.uri for file in files])
            outcome, row_count, error = self._jobs.wait(job_id)
            if outcome is Outcome.STUCK:
                row_count = self._jobs.count_rows(batch_id)
                outcome = Outcome.DONE if row_count else Outcome.FAILED
            if outcome is Outcome.DONE:
                logger.info("Landed %d rows by %s", row_count, job_id)
                return row_count
            if is_of_earlier_life:  # it left no row, and what it failed for may be mended
                continue
            if outcome is Outcome.REFUSED:
                raise BatchRefusedError(f"BigQuery refused {job_id}: {error}")
            logger.warning("Load job %s failed: %s", job_id, error)
            self._sleep(min(2**tries, 30))
        raise BatchRefusedError(f"{MAX_ATTEMPTS} load jobs of batch {batch_id} failed; the last said: {error}")

    def _stage(self, messages: DataFrame, folder: str, batch_id: str) -> list[StagedFile]:
        return stage(messages, self._settings, f"{folder}/{uuid.uuid4().hex}", batch_id)
