"""The time of each step of the stream: `python -m tools.bench.stream_parts`.

One warm Spark session reads the same topic repeatedly, each time with one more step; the time of a step is what it
adds. Two tasks run at a time, as in the stream; the load job is not among the steps.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from csat.contract.settings import MAX_DAYS_OLD, Settings
from csat.local import stack
from csat.local.ports import free_ports
from spark.message import MESSAGE_COLUMNS, TimeLimits
from spark.session import build_session
from spark.source import kafka_options
from spark.staging import stage
from spark.transform import landing_rows, read_at
from tools.bench.results import markdown, write
from tools.bench.stream import fill

_LIMITS = TimeLimits(ahead=timedelta(0), age=timedelta(days=MAX_DAYS_OLD))
_COUNT = pa.schema([("row_count", pa.int64())])
Step = Callable[[DataFrame], Any]


def _counted(batches: Iterable[pa.RecordBatch], is_transformed: bool) -> Iterator[pa.RecordBatch]:
    """One row per task: its number of messages. Runs in a worker."""
    count = 0
    for batch in batches:
        messages = read_at(datetime.now(UTC), batch)
        rows = landing_rows(messages, "bench-0", "bench", _LIMITS) if is_transformed else batch
        count += rows.num_rows
    yield pa.RecordBatch.from_arrays([pa.array([count])], schema=_COUNT)


def _in_workers(messages: DataFrame, *, is_transformed: bool) -> None:
    count = partial(_counted, is_transformed=is_transformed)
    messages.select(*MESSAGE_COLUMNS).mapInArrow(count, "row_count BIGINT").collect()


def steps(settings: Settings, folder: str) -> dict[str, Step]:
    """Each step does what the previous ones do, and one thing more."""
    return {
        "Kafka read in the JVM": lambda messages: messages.write.format("noop").mode("overwrite").save(),
        "to the Python workers, as Arrow": partial(_in_workers, is_transformed=False),
        "JSON read, rules checked": partial(_in_workers, is_transformed=True),
        "Parquet written": lambda messages: stage(messages, settings, folder, "bench-0", "bench"),
    }


def measure(spark: SparkSession, settings: Settings, events: int, rounds: int) -> list[dict[str, Any]]:
    """One row per step: the best of the rounds after a warm-up, and the time that the step adds."""
    messages = (
        spark.read.format("kafka").options(**kafka_options(settings)).option("startingOffsets", "earliest").load()
    )
    known = steps(settings, (settings.state / "parts").as_uri())
    best = dict.fromkeys(known, float("inf"))
    for number in range(rounds + 1):
        for name, step in known.items():
            began = time.monotonic()
            step(messages)
            if number:
                best[name] = min(best[name], time.monotonic() - began)
    before, rows = 0.0, []
    for name, seconds in best.items():
        added = (seconds - before) / events * 1e6
        rows.append({"up_to": name, "rows_per_second": events / seconds, "microseconds_a_row": added})
        before = seconds
    return rows


def main() -> None:
    """Measure the steps on a separate stack and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, help="file for the results, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="csat-bench-") as folder:
        settings = Settings(state_dir=Path(folder), _env_file=None, **free_ports())
        with stack.running(settings, lambda line: None, has_airflow=False, has_dashboard=False):
            fill(settings, options.events)
            rows = measure(build_session(settings), settings, options.events, options.rounds)
    print(markdown(rows))
    if options.results:
        write(options.results, rows, events=options.events)


if __name__ == "__main__":
    main()
