"""Simulated responses as landing rows in Parquet files, made by the stream's code without Kafka and Spark.

A file covers a period with `RESPONSES_PER_FILE` responses, and the files are consecutive up to `HISTORY_END`: the last
ones are a shorter history that ends at the same time.
"""

import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import batched
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from google.cloud import bigquery
from pyarrow import parquet

from csat.bigquery.client import Warehouse
from csat.contract import landing
from csat.contract.settings import MAX_DAYS_OLD, get_settings
from producer.message import Message
from producer.simulate import Simulator
from spark.message import TimeLimits
from spark.transform import LANDING_SCHEMA, landing_rows

HISTORY_END = datetime(2026, 11, 1, 12, tzinfo=UTC)
RESPONSES_PER_DAY = 2_771  # as in the real data
RESPONSES_PER_FILE = 100_000
HISTORIES = (100_000, 1_000_000, 5_000_000)
_SEED = 1
_ROWS_PER_BATCH = 20_000
_LOAD_SECONDS = 600
_TIME = pa.timestamp("us", "UTC")
_LIMITS = TimeLimits(ahead=timedelta(0), age=timedelta(days=MAX_DAYS_OLD))
# Kafka receives a response a second after it was given, the stream reads it half a minute later.
KAFKA_DELAY, STREAM_DELAY = timedelta(seconds=1), timedelta(seconds=31)


def history_folder() -> Path:
    """Where histories are cached, since they take long to make."""
    return get_settings().state / "bench" / "history"


def history_files(folder: Path, responses: int) -> list[Path]:
    """The files of a history, the oldest first; missing ones are written, on all cores."""
    count = responses // RESPONSES_PER_FILE
    files = [folder / f"{number:03}.parquet" for number in range(count)]
    missing = [(number, file) for number, file in enumerate(files) if not file.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        list(pool.map(_write_history_file, missing))
    return files[::-1]


def write_new_responses(file: Path, responses: int, hour: int) -> None:
    """Write the file of one hour's responses after the history."""
    start = HISTORY_END + timedelta(hours=hour)
    write_messages(file, Simulator(_SEED).history(responses, start, start + timedelta(hours=1)), hour * responses)


def load(warehouse: Warehouse, files: Sequence[Path]) -> None:
    """Load the files into the landing table, one load job each, as the stream does."""
    settings = warehouse.settings
    bucket, _, folder = settings.staging_uri.removeprefix("gs://").partition("/")
    staging = settings.staging_root / bucket / folder
    staging.mkdir(parents=True, exist_ok=True)
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET, write_disposition=bigquery.WriteDisposition.WRITE_APPEND
    )
    for file in files:
        staged = staging / file.name
        shutil.copyfile(file, staged)  # the emulator follows no link out of its buckets
        uri = f"{settings.staging_uri.rstrip('/')}/{file.name}"
        with warehouse.errors():
            job = warehouse.client.load_table_from_uri(uri, settings.table("raw", landing.TABLE), job_config=config)
            job.result(timeout=_LOAD_SECONDS)
        staged.unlink()


def _write_history_file(task: tuple[int, Path]) -> None:
    number, file = task
    length = timedelta(days=RESPONSES_PER_FILE / RESPONSES_PER_DAY)
    end = HISTORY_END - number * length
    # The newest file has the greatest offsets: a history of any length has no gap between them.
    write_messages(
        file, Simulator(_SEED).history(RESPONSES_PER_FILE, end - length, end), -(number + 1) * RESPONSES_PER_FILE
    )


_TOPIC_ID = "bench"


def write_messages(file: Path, messages: Iterable[Message], first_offset: int) -> None:
    """Write the file of these messages' rows, accepted and rejected; each was sent at its response time."""
    offset, unfinished = first_offset, file.with_suffix(".unfinished")
    with parquet.ParquetWriter(unfinished, LANDING_SCHEMA, compression="zstd") as writer:
        for batch in batched(messages, _ROWS_PER_BATCH):
            rows = landing_rows(_received(batch, offset), f"{file.stem}-{offset}", _TOPIC_ID, _LIMITS)
            writer.write_batch(rows)
            offset += len(batch)
    unfinished.rename(file)


def _received(batch: tuple[Message, ...], first_offset: int) -> pa.RecordBatch:
    """The messages as the stream reads them from Kafka."""
    count = len(batch)
    answered = pa.array([message.answered_ms * 1000 for message in batch], pa.int64()).cast(_TIME)
    columns = {
        "value": pa.array([message.value for message in batch], pa.binary()),
        "topic": pa.repeat("messages", count),
        "partition": pa.repeat(0, count).cast(pa.int32()),
        "offset": pa.array(range(first_offset, first_offset + count), pa.int64()),
        "timestamp": pc.add(answered, pa.scalar(KAFKA_DELAY)),
        "ingested_at": pc.add(answered, pa.scalar(STREAM_DELAY)),
    }
    return pa.RecordBatch.from_pydict(columns)
