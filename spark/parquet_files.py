"""Landing rows to Parquet files, written where the rows are made."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from pyarrow import fs, parquet

from csat import landing
from csat.landing import ColumnKind
from spark.transform import LANDING_SCHEMA, landing_rows, read_at
from spark.worker import BUCKETS

# Ids, prices, times and offsets are nearly as many as rows: a dictionary of them only costs time.
_WITH_FEW_VALUES = {ColumnKind.TEXT, ColumnKind.INTEGER}
_WITH_DICTIONARY = [column.name for column in landing.EVENT_COLUMNS if column.kind in _WITH_FEW_VALUES]
_FILES = pa.schema([("name", pa.string()), ("row_count", pa.int64())])


def write(
    batches: Iterable[pa.RecordBatch], folder: str, batch_id: str, ingested_at: datetime
) -> Iterator[pa.RecordBatch]:
    """One file of a task's messages, where it has any: its name and row_count."""
    name, row_count = f"{uuid.uuid4().hex}.parquet", 0
    with ExitStack() as stack:
        writer = None
        for batch in batches:
            if writer is None:
                writer = stack.enter_context(_open(f"{folder}/{name}"))
            writer.write_batch(landing_rows(read_at(ingested_at, batch), batch_id))
            row_count += batch.num_rows
    if row_count:
        yield pa.RecordBatch.from_arrays([pa.array([name]), pa.array([row_count])], schema=_FILES)


def _open(uri: str) -> parquet.ParquetWriter:
    files, path = fs.FileSystem.from_uri(uri)
    if not uri.startswith(BUCKETS):  # a bucket has no folders, and looking for them takes further rights
        files.create_dir(str(Path(path).parent), recursive=True)
    return parquet.ParquetWriter(
        path, LANDING_SCHEMA, filesystem=files, compression="zstd", use_dictionary=_WITH_DICTIONARY
    )
