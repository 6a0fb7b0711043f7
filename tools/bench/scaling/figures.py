"""The input of the calculation: measured here, or from Google's documentation with its source."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from csat.cloud import costs
from csat.contract.landing import EVENT_COLUMNS, TABLE, Column, ColumnKind
from csat.contract.settings import ROOT, Settings
from producer.profile import Profile, load_profile
from producer.simulate import Simulator

STREAM_RESULTS = ROOT / "tools" / "bench" / "results" / "stream.json"
STREAM = "this stream"  # the name among the baselines

# https://cloud.google.com/bigquery/quotas: changes of partitions by the jobs of a day, for one table
PARTITION_CHANGES_A_DAY = 30_000
# https://cloud.google.com/bigquery/pricing; what queries cost is in csat/cloud/costs.py
WRITE_DOLLARS_A_GIB, WRITE_FREE_GIB = 0.025, 2 * 1024
# https://cloud.google.com/dataproc-serverless/pricing: the default and minimum of a batch
MIN_EXECUTORS, EXECUTOR_CORES = 2, 4
# A conservative estimate: brokers handle several times as much
KAFKA_PARTITION_BYTES_A_SECOND = 10_000_000

# https://cloud.google.com/bigquery/pricing#data: bytes of a value that is not a string
_BYTES = {ColumnKind.INTEGER: 8, ColumnKind.PRICE: 16, ColumnKind.TIMESTAMP: 8}
_TEXT_BYTES = 2  # of a string in addition to its characters; a null has none
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
    is_measured: bool = True

    def bytes_of(self, *columns: str) -> float:
        """Mean bytes of these columns; of all of them, where none is named."""
        return sum(self.column_bytes[name] for name in columns or self.column_bytes)


def figures(results: Path = STREAM_RESULTS) -> Figures:
    """The figures of the benchmark and the simulator; without a benchmark, those that costs assume."""
    rate, size, is_measured = float(costs.RESPONSES_A_SECOND_A_VCPU), float(costs.MESSAGE_BYTES), results.exists()
    if is_measured:
        rows = json.loads(results.read_text())["results"]
        [stream] = [row for row in rows if row["baseline"] == STREAM]
        rate = rounded_down(1e6 / stream["cpu_seconds_per_million"])
        size = round(stream["megabytes_per_second"] * 1e6 / stream["cold"], -1)
    return Figures(rate, size, column_bytes(), peak(load_profile()), is_measured)


def rounded_down(rate: float) -> float:
    """The rate rounded down to one figure: another machine may be slower."""
    step = float(10 ** math.floor(math.log10(rate)))
    return rate // step * step


def peak(profile: Profile) -> float:
    """The busiest hour of the busiest weekday, against the mean hour."""
    hours, weekdays = profile.hour_shares, profile.weekday_weights
    return max(hours) / sum(hours) * len(hours) * max(weekdays) / sum(weekdays) * len(weekdays)


def column_bytes() -> Mapping[str, float]:
    """Mean bytes of each landing column of an accepted row, as BigQuery counts them, over simulated responses."""
    messages = Simulator(seed=1).history(_SAMPLE, _SAMPLE_END.replace(day=1), _SAMPLE_END)
    events = [json.loads(message.value) for message in messages]
    sizes = {column.name: sum(_bytes(column, event[column.name]) for event in events) for column in EVENT_COLUMNS}
    return MappingProxyType({name: size / len(events) for name, size in sizes.items()} | _KAFKA_BYTES)


def _bytes(column: Column, value: object) -> int:
    if value is None:
        return 0
    return _BYTES.get(column.kind) or _TEXT_BYTES + len(str(value).encode())


def cloud_settings() -> Settings:
    """The default settings for Google Cloud."""
    return Settings(target="gcp", project_id=TABLE.replace("_", "-"), _env_file=None)
