"""Batches to Parquet files, written by Spark's Python workers: messages leave Kafka's JVM once and never come back."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from csat.settings import Settings
from spark.worker import MESSAGE_COLUMNS, write_files

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class StagedFile:
    """A whole Parquet file of landing rows."""

    uri: str
    row_count: int


def stage(messages: "DataFrame", settings: Settings, uri: str, batch_id: str) -> list[StagedFile]:
    """Write the landing rows of `messages` to files under `uri`; the files of the tasks that succeeded.

    `messages` is as `landing_rows` takes it; its other columns stay in the JVM. A task that failed leaves a file that
    is not named here.
    """
    write = partial(write_files, folder=spark_path(settings, uri), batch_id=batch_id)
    files = messages.select(*MESSAGE_COLUMNS).mapInArrow(write, "name STRING, row_count BIGINT").collect()
    return [StagedFile(f"{uri}/{file['name']}", file["row_count"]) for file in files]


def spark_path(settings: Settings, uri: str) -> str:
    """Where Spark finds a gs:// address: there, or in the folder that the emulator serves as gs://."""
    scheme = "gs://"
    if settings.is_local and uri.startswith(scheme):
        return (settings.staging_root / Path(uri.removeprefix(scheme))).as_uri()
    return uri
