"""Writes batches to Parquet files in Spark's Python workers: messages leave the JVM once and never return to it."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from csat.contract.settings import Settings
from spark.message import BUCKETS, MESSAGE_COLUMNS, TimeLimits
from spark.worker import write_files

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StagedFile:
    """A complete Parquet file of landing rows."""

    uri: str
    row_count: int


def stage(messages: "DataFrame", settings: Settings, uri: str, batch_id: str, topic_id: str) -> list[StagedFile]:
    """Write the landing rows of `messages` to files under `uri`; the files of the tasks that succeeded.

    `messages` is Kafka's; columns that no row needs stay in the JVM. The rows' ingested_at is now. A failed task
    leaves a file that is not in the list.
    """
    # The time is not a Spark column: as a constant of the plan, it would make Spark recompile code for each batch
    write = partial(
        write_files,
        folder=spark_path(settings, uri),
        batch_id=batch_id,
        topic_id=topic_id,
        ingested_at=datetime.now(UTC),
        limits=TimeLimits(timedelta(minutes=settings.max_minutes_ahead), timedelta(days=settings.max_days_old)),
    )
    files = messages.select(*MESSAGE_COLUMNS).mapInArrow(write, "name STRING, row_count BIGINT").collect()
    return [StagedFile(f"{uri}/{file['name']}", file["row_count"]) for file in files]


def discard(settings: Settings, uri: str) -> None:
    """Delete the files under `uri` after they landed; leftovers are removed with the old staging files."""
    from pyarrow import fs  # imported after the first commit: a driver starts faster without it

    files, path = fs.FileSystem.from_uri(spark_path(settings, uri))
    try:
        files.delete_dir(path)
    except FileNotFoundError:
        pass  # an empty batch has none
    except OSError:
        logger.warning("Could not delete the staging files of %s", uri, exc_info=True)


def spark_path(settings: Settings, uri: str) -> str:
    """Where Spark finds a gs:// address: in the bucket, or in the folder that the emulator serves as gs://."""
    if settings.is_local and uri.startswith(BUCKETS):
        return (settings.staging_root / Path(uri.removeprefix(BUCKETS))).as_uri()
    return uri
