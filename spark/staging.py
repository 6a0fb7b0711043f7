"""Batches to Parquet files, written by Spark's Python workers: messages leave Kafka's JVM once and never come back."""

import logging
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import fs, parquet

from csat import landing
from csat.landing import ColumnKind
from csat.settings import Settings
from spark.transform import LANDING_SCHEMA, MESSAGE_COLUMNS, landing_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

logger = logging.getLogger(__name__)

# Ids, prices, times and offsets are nearly as many as rows: a dictionary of them only costs time.
_WITH_FEW_VALUES = {ColumnKind.TEXT, ColumnKind.INTEGER}
_WITH_DICTIONARY = [column.name for column in landing.EVENT_COLUMNS if column.kind in _WITH_FEW_VALUES]
_BUCKETS = "gs://"
_FILES = pa.schema([("name", pa.string()), ("row_count", pa.int64())])


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
    write = partial(_write, folder=spark_path(settings, uri), batch_id=batch_id)
    files = messages.select(*MESSAGE_COLUMNS).mapInArrow(write, "name STRING, row_count BIGINT").collect()
    return [StagedFile(f"{uri}/{file['name']}", file["row_count"]) for file in files]


def _write(batches: Iterable[pa.RecordBatch], folder: str, batch_id: str) -> Iterator[pa.RecordBatch]:
    """One file of a task's messages, where it has any; runs in a worker."""
    name, row_count = f"{uuid.uuid4().hex}.parquet", 0
    with ExitStack() as stack:
        writer = None
        for batch in batches:
            if writer is None:
                writer = stack.enter_context(_open(f"{folder}/{name}"))
            writer.write_batch(landing_rows(batch, batch_id))
            row_count += batch.num_rows
    if row_count:
        yield pa.RecordBatch.from_arrays([pa.array([name]), pa.array([row_count])], schema=_FILES)


def _open(uri: str) -> parquet.ParquetWriter:
    files, path = fs.FileSystem.from_uri(uri)
    if not uri.startswith(_BUCKETS):  # a bucket has no folders, and looking for them takes further rights
        files.create_dir(str(Path(path).parent), recursive=True)
    return parquet.ParquetWriter(
        path, LANDING_SCHEMA, filesystem=files, compression="zstd", use_dictionary=_WITH_DICTIONARY
    )


def discard(settings: Settings, uri: str) -> None:
    """Delete the files under `uri`, which have landed: what is left is swept with the old staging files."""
    files, path = fs.FileSystem.from_uri(spark_path(settings, uri))
    try:
        files.delete_dir(path)
    except FileNotFoundError:
        pass  # an empty batch has none
    except OSError:
        logger.warning("Could not delete the staging files of %s", uri, exc_info=True)


def spark_path(settings: Settings, uri: str) -> str:
    """Where Spark finds a gs:// address: there, or in the folder that the emulator serves as gs://."""
    if settings.is_local and uri.startswith(_BUCKETS):
        return (settings.staging_root / Path(uri.removeprefix(_BUCKETS))).as_uri()
    return uri
