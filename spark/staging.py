"""Batches to Parquet files, written by Spark's Python workers: messages leave Kafka's JVM once and never come back."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from csat.settings import Settings
from spark.worker import BUCKETS, MESSAGE_COLUMNS, write_files

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StagedFile:
    """A whole Parquet file of landing rows."""

    uri: str
    row_count: int


def stage(messages: "DataFrame", settings: Settings, uri: str, batch_id: str) -> list[StagedFile]:
    """Write the landing rows of `messages` to files under `uri`; the files of the tasks that succeeded.

    `messages` is Kafka's; what of it is in no row stays in the JVM. The rows are ingested now. A task that failed
    leaves a file that is not named here.
    """
    # The time is no column of Spark's: it would be a constant of the plan, and code compiled for each batch anew
    write = partial(write_files, folder=spark_path(settings, uri), batch_id=batch_id, ingested_at=datetime.now(UTC))
    files = messages.select(*MESSAGE_COLUMNS).mapInArrow(write, "name STRING, row_count BIGINT").collect()
    return [StagedFile(f"{uri}/{file['name']}", file["row_count"]) for file in files]


def discard(settings: Settings, uri: str) -> None:
    """Delete the files under `uri`, which have landed: what is left is swept with the old staging files."""
    from pyarrow import fs  # after the first commit: a driver starts sooner without it

    files, path = fs.FileSystem.from_uri(spark_path(settings, uri))
    try:
        files.delete_dir(path)
    except FileNotFoundError:
        pass  # an empty batch has none
    except OSError:
        logger.warning("Could not delete the staging files of %s", uri, exc_info=True)


def spark_path(settings: Settings, uri: str) -> str:
    """Where Spark finds a gs:// address: there, or in the folder that the emulator serves as gs://."""
    if settings.is_local and uri.startswith(BUCKETS):
        return (settings.staging_root / Path(uri.removeprefix(BUCKETS))).as_uri()
    return uri
