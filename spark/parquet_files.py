"""Writes landing rows to Parquet files in the worker that makes the rows."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from pyarrow import fs, parquet

from csat.contract import landing
from csat.contract.landing import ColumnKind
from spark.message import BUCKETS, TimeLimits
from spark.transform import LANDING_SCHEMA, landing_rows, read_at

# Ids, prices, times and offsets are almost unique per row: dictionary encoding would only cost time.
_WITH_FEW_VALUES = {ColumnKind.TEXT, ColumnKind.INTEGER}
_WITH_DICTIONARY = [column.name for column in landing.EVENT_COLUMNS if column.kind in _WITH_FEW_VALUES]
_FILES = pa.schema([("name", pa.string()), ("row_count", pa.int64())])


def write(
    batches: Iterable[pa.RecordBatch],
    folder: str,
    batch_id: str,
    topic_id: str,
    ingested_at: datetime,
    limits: TimeLimits,
) -> Iterator[pa.RecordBatch]:
    """Write a task's messages, if any, to one file; yields its name and row_count."""
    name, row_count = f"{uuid.uuid4().hex}.parquet", 0
    with ExitStack() as stack:
        writer = None
        for batch in batches:
            if writer is None:
                writer = stack.enter_context(_open(f"{folder}/{name}"))
            writer.write_batch(landing_rows(read_at(ingested_at, batch), batch_id, topic_id, limits))
            row_count += batch.num_rows
    if row_count:
        yield pa.RecordBatch.from_arrays([pa.array([name]), pa.array([row_count])], schema=_FILES)


def _open(uri: str) -> parquet.ParquetWriter:
    files, path = fs.FileSystem.from_uri(uri)
    if not uri.startswith(BUCKETS):  # a bucket has no folders, and checking for them needs more permissions
        files.create_dir(str(Path(path).parent), recursive=True)
    return parquet.ParquetWriter(
        path, LANDING_SCHEMA, filesystem=files, compression="zstd", use_dictionary=_WITH_DICTIONARY
    )
