"""Simulated messages in the landing table, without Kafka and Spark in between: the stream's own code makes the rows."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import accumulate, batched

import pyarrow as pa
import pyarrow.compute as pc
from google.cloud import bigquery
from pyarrow import parquet

from csat import landing
from producer.message import Message
from spark.transform import LANDING_SCHEMA, landing_rows
from warehouse.client import Warehouse

_ROWS_PER_BATCH = 20_000
_LOAD_SECONDS = 600
_TIME = pa.timestamp("us", "UTC")
# Kafka receives a message a second after the newest answer so far, the stream half a minute later.
KAFKA_DELAY, STREAM_DELAY = timedelta(seconds=1), timedelta(seconds=31)


def simulated_rows(messages: Iterable[Message]) -> pa.Table:
    """The landing table's rows of these messages, accepted and rejected; offsets count from 0."""
    sent, batches, offset = list(messages), [], 0
    moments = accumulate((message.answered_ms for message in sent), max)
    for batch in batched(zip(sent, moments, strict=True), _ROWS_PER_BATCH):
        batches.append(landing_rows(_received(batch, offset), f"simulated-{offset}"))
        offset += len(batch)
    return pa.Table.from_batches(batches, schema=LANDING_SCHEMA)


def land(warehouse: Warehouse, rows: pa.Table) -> None:
    """Load the rows into the emulator's landing table with one load job, as the stream does."""
    settings = warehouse.settings
    bucket = settings.staging_uri.removeprefix("gs://").split("/")[0]
    file = settings.staging_root / bucket / f"{settings.dataset_prefix}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(rows, file, compression="zstd")
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET, write_disposition=bigquery.WriteDisposition.WRITE_APPEND
    )
    with warehouse.errors():
        job = warehouse.client.load_table_from_uri(
            f"gs://{bucket}/{file.name}", settings.table("raw", landing.TABLE), job_config=config
        )
        job.result(timeout=_LOAD_SECONDS)
    file.unlink()


def _received(batch: Sequence[tuple[Message, int]], first_offset: int) -> pa.RecordBatch:
    """The messages, each with its moment in milliseconds, as the stream reads them from Kafka."""
    count = len(batch)
    sent = pa.array([moment * 1000 for _, moment in batch], pa.int64()).cast(_TIME)
    columns = {
        "value": pa.array([message.value for message, _ in batch], pa.binary()),
        "topic": pa.repeat("messages", count),
        "partition": pa.repeat(0, count).cast(pa.int32()),
        "offset": pa.array(range(first_offset, first_offset + count), pa.int64()),
        "timestamp": pc.add(sent, pa.scalar(KAFKA_DELAY)),
        "ingested_at": pc.add(sent, pa.scalar(STREAM_DELAY)),
    }
    return pa.RecordBatch.from_pydict(columns)
