"""One batch, one load job, one commit: the landing table holds each batch whole, once.

The job's id follows from the query and the batch, so a batch that is run again (after a kill, by newer code, by a
second driver) finds its own job instead of making another:

    csat-<query id>-<batch id>-a<attempt>

An attempt is only followed by the next when it ended with an error, which leaves no row behind.
"""

import logging
import time
import uuid
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Protocol

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from csat import landing
from csat.landing import ColumnKind
from csat.settings import Settings

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
_ID_KINDS = {ColumnKind.UUID}  # nearly as many values as rows: a dictionary only costs time


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

    def submit(self, job_id: str, uri: str) -> None:
        """Start a job, unless one of this id was."""

    def wait(self, job_id: str) -> tuple[Outcome, int, str]:
        """Outcome, rows loaded and error of a job, once it ended or is stuck."""

    def count_rows(self, batch_id: str) -> int:
        """Rows of the landing table with this batch_id."""


class SupersededError(Exception):
    """Another driver has the stream now; this one must not write."""


class BatchRefusedError(Exception):
    """BigQuery will not take this batch; the message holds its word."""


class LandingSink:
    """Writes batches of landing rows. `fence` raises SupersededError when this driver must not write any more."""

    def __init__(
        self,
        settings: Settings,
        jobs: LoadJobs,
        fence: Callable[[], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        self._fence = fence
        self._sleep = sleep
        self._may_be_replay = True  # only the first batch of a life can have been submitted by another
        self.rows_committed = 0
        self.batch_in_hand = ""  # as in its load job's id; empty between batches

    def write(self, rows: DataFrame, batch_number: int) -> None:
        """Land one batch: `rows` are the landing columns but batch_id. For foreachBatch."""
        query_id = str(rows.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId"))
        batch_id = f"{query_id}-{batch_number}"
        self.batch_in_hand = batch_id
        self.rows_committed += self._land(batch_id, lambda: self._stage(rows, query_id, batch_number, batch_id))
        self._may_be_replay = False
        self.batch_in_hand = ""
        _delete(rows, spark_path(self._settings, self._folder(query_id, batch_number)))

    def _land(self, batch_id: str, stage: Callable[[], str]) -> int:
        uri = ""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            job_id = f"{landing.LOAD_JOB_PREFIX}{batch_id}-a{attempt}"
            if not (self._may_be_replay and self._jobs.find(job_id)):
                uri = uri or stage()
                self._fence()
                self._jobs.submit(job_id, f"{uri}/*.parquet")
            outcome, row_count, error = self._jobs.wait(job_id)
            if outcome is Outcome.STUCK:
                row_count = self._jobs.count_rows(batch_id)
                outcome = Outcome.DONE if row_count else Outcome.FAILED
            if outcome is Outcome.DONE:
                logger.info("Landed %d rows by %s", row_count, job_id)
                return row_count
            if outcome is Outcome.REFUSED:
                raise BatchRefusedError(f"BigQuery refused {job_id}: {error}")
            logger.warning("Load job %s failed: %s", job_id, error)
            self._sleep(min(2**attempt, 30))
        raise BatchRefusedError(f"{MAX_ATTEMPTS} load jobs of batch {batch_id} failed; the last said: {error}")

    def _folder(self, query_id: str, batch_number: int) -> str:
        return f"{self._settings.staging_uri}/{query_id}/{batch_number}"

    def _stage(self, rows: DataFrame, query_id: str, batch_number: int, batch_id: str) -> str:
        uri = f"{self._folder(query_id, batch_number)}/{uuid.uuid4().hex}"
        complete = rows.withColumn("batch_id", F.lit(batch_id)).select(*[column.name for column in landing.COLUMNS])
        writer = complete.write
        for column in landing.COLUMNS:
            if column.kind in _ID_KINDS:
                writer = writer.option(f"parquet.enable.dictionary#{column.name}", "false")
        writer.parquet(spark_path(self._settings, uri))
        return uri


def spark_path(settings: Settings, uri: str) -> str:
    """Where Spark finds a gs:// address: there, or in the folder that the emulator serves as gs://."""
    scheme = "gs://"
    if settings.is_local and uri.startswith(scheme):
        return (settings.staging_root / Path(uri.removeprefix(scheme))).as_uri()
    return uri


def _delete(rows: DataFrame, path: str) -> None:
    session = rows.sparkSession
    folder = session._jvm.org.apache.hadoop.fs.Path(path)  # type: ignore[union-attr]
    files = folder.getFileSystem(session._jsparkSession.sessionState().newHadoopConf())
    try:
        files.delete(folder, True)
    except Exception:  # the rows have landed; what is left is swept with the old staging files
        logger.warning("Could not delete the staging files of %s", path, exc_info=True)
