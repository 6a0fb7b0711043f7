"""Simulated answers as landing rows, without Kafka and Spark in between: the stream's own code makes the rows."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import batched

import pyarrow as pa
import pyarrow.compute as pc
from google.cloud import bigquery
from pyarrow import parquet

from csat import landing
from producer.message import Message
from spark.transform import LANDING_SCHEMA, landing_rows
from warehouse.client import Warehouse

_ROWS_PER_BATCH = 20_000
_TIME = pa.timestamp("us", "UTC")
# Kafka receives an answer a second after it was given, the stream half a minute later.
KAFKA_DELAY, STREAM_DELAY = timedelta(seconds=1), timedelta(seconds=31)


def landed(
    messages: Iterable[Message], first_offset: int = 0, ingested_at: datetime | None = None
) -> Iterator[pa.RecordBatch]:
    """Rows as the stream would write them; `ingested_at` is soon after each answer, or one moment for all."""
    offset = first_offset
    for number, batch in enumerate(batched(messages, _ROWS_PER_BATCH)):
        answered = pa.array([message.answered_ms * 1000 for message in batch], pa.int64()).cast(_TIME)
        yield landing_rows(_messages(batch, answered, offset, ingested_at), f"history-{number}")
        offset += len(batch)


def load(warehouse: Warehouse, batches: Iterable[pa.RecordBatch], name: str) -> int:
    """Load the rows into the landing table as the stream does: one Parquet file, one load job; how many they were."""
    settings = warehouse.settings
    bucket, _, folder = settings.staging_uri.removeprefix("gs://").partition("/")
    file = settings.staging_root / bucket / folder / f"{name}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    row_count = 0
    with parquet.ParquetWriter(file, LANDING_SCHEMA, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
            row_count += batch.num_rows
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET, write_disposition=bigquery.WriteDisposition.WRITE_APPEND
    )
    uri = f"{settings.staging_uri.rstrip('/')}/{name}.parquet"
    with warehouse.errors():
        job = warehouse.client.load_table_from_uri(uri, settings.table("raw", landing.TABLE), job_config=config)
        job.result(timeout=600)
    file.unlink()
    return row_count


def _messages(
    batch: tuple[Message, ...], answered: pa.TimestampArray, first_offset: int, ingested_at: datetime | None
) -> pa.RecordBatch:
    count = len(batch)
    received = pc.add(answered, pa.scalar(KAFKA_DELAY))
    columns = {
        "value": pa.array([message.value for message in batch], pa.binary()),
        "topic": pa.repeat("messages", count),
        "partition": pa.repeat(0, count).cast(pa.int32()),
        "offset": pa.array(range(first_offset, first_offset + count), pa.int64()),
        "timestamp": received,
        "ingested_at": pc.add(answered, pa.scalar(STREAM_DELAY))
        if ingested_at is None
        else pa.repeat(ingested_at, count),
    }
    return pa.RecordBatch.from_pydict(columns)
