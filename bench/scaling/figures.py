"""What the arithmetic starts from: measured here, or Google's word with its source beside it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from csat.landing import EVENT_COLUMNS, TABLE, Column, ColumnKind
from csat.settings import ROOT, Settings
from producer.profile import Profile, load_profile
from producer.simulate import Simulator

STREAM_RESULTS = ROOT / "bench" / "results" / "stream.json"
STREAM = "this stream"  # of the bench's contenders

# https://cloud.google.com/bigquery/quotas: changes of partitions by the jobs of a day, for one table
PARTITION_CHANGES_A_DAY = 30_000
# https://cloud.google.com/bigquery/pricing: US, on demand. A table that a query names counts as 10 MB at least
QUERY_DOLLARS_A_TIB = 6.25
LEAST_QUERY_BYTES = 10 * 1024**2
WRITE_DOLLARS_A_GIB, WRITE_FREE_GIB = 0.025, 2 * 1024
# https://cloud.google.com/dataproc-serverless/pricing: what a batch has by default, and at least
LEAST_EXECUTORS, EXECUTOR_CORES = 2, 4
# A cautious figure of ours: brokers take several times as much
KAFKA_PARTITION_BYTES_A_SECOND = 10_000_000

# https://cloud.google.com/bigquery/pricing#data: bytes of a value, where it is not its text
_BYTES = {ColumnKind.INTEGER: 8, ColumnKind.PRICE: 16, ColumnKind.TIMESTAMP: 8}
_TEXT_BYTES = 2  # of a text beside its characters; a null has none
_SAMPLE, _SAMPLE_END = 5_000, datetime(2026, 1, 31, tzinfo=UTC)
_BATCH_ID = "00000000-0000-0000-0000-000000000000-1234"
_KAFKA_BYTES = {
    "kafka_topic": _TEXT_BYTES + len("messages"),
    **dict.fromkeys(("kafka_partition", "kafka_offset", "kafka_timestamp", "ingested_at"), 8),
    "batch_id": _TEXT_BYTES + len(_BATCH_ID),
}


@dataclass(frozen=True)
class Figures:
    """Rows that a core takes from Kafka to files in a second, mean bytes of a message and of each landing column."""

    rows_a_core_second: float
    message_bytes: float
    column_bytes: Mapping[str, float]
    peak: float  # the busiest hour of the week against the mean one

    def bytes_of(self, *columns: str) -> float:
        """Mean bytes of these columns; of all of them, where none is named."""
        return sum(self.column_bytes[name] for name in columns or self.column_bytes)


class NotMeasuredError(Exception):
    """The bench has left no figures; the message names its command."""


def figures(results: Path = STREAM_RESULTS) -> Figures:
    """The figures of the bench and of the simulator's answers. Raises NotMeasuredError."""
    if not results.exists():
        raise NotMeasuredError(f"no {results}, fix: make bench-stream")
    rows = json.loads(results.read_text())["results"]
    [stream] = [row for row in rows if row["contender"] == STREAM]
    rate = rounded_down(1e6 / stream["cpu_seconds_per_million"])
    size = stream["megabytes_per_second"] * 1e6 / stream["cold"]
    return Figures(rate, round(size, -1), column_bytes(), peak(load_profile()))


def rounded_down(rate: float) -> float:
    """The rate to one figure, and never more than it was: the next machine is another one."""
    step = float(10 ** math.floor(math.log10(rate)))
    return rate // step * step


def peak(profile: Profile) -> float:
    """The busiest hour of the busiest weekday, against the mean hour."""
    hours, weekdays = profile.hour_shares, profile.weekday_weights
    return max(hours) / sum(hours) * len(hours) * max(weekdays) / sum(weekdays) * len(weekdays)


def column_bytes() -> Mapping[str, float]:
    """Mean bytes of each landing column of an accepted row, as BigQuery counts them, over simulated answers."""
    messages = Simulator(seed=1).history(_SAMPLE, _SAMPLE_END.replace(day=1), _SAMPLE_END)
    events = [json.loads(message.value) for message in messages]
    sizes = {column.name: sum(_bytes(column, event[column.name]) for event in events) for column in EVENT_COLUMNS}
    return MappingProxyType({name: size / len(events) for name, size in sizes.items()} | _KAFKA_BYTES)


def _bytes(column: Column, value: object) -> int:
    if value is None:
        return 0
    return _BYTES.get(column.kind) or _TEXT_BYTES + len(str(value).encode())


def cloud_settings() -> Settings:
    """The settings that Google Cloud gets where nothing else is asked for."""
    return Settings(target="gcp", project_id=TABLE.replace("_", "-"), _env_file=None)
