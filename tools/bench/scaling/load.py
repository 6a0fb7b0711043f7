"""The load of one volume of responses on each component. Pure: figures and settings in, numbers out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from csat.cloud import costs
from csat.contract.settings import Settings
from tools.bench.scaling.figures import (
    EXECUTOR_CORES,
    KAFKA_PARTITION_BYTES_A_SECOND,
    MIN_EXECUTORS,
    WRITE_DOLLARS_A_GIB,
    WRITE_FREE_GIB,
    Figures,
)

DAY_SECONDS, MONTH_DAYS, YEAR_DAYS = 86_400, costs.DAYS, 365
GIB = 1024**3
# The minimum that a build bills
MIN_BUILD_BYTES = costs.STATEMENTS_A_BUILD * costs.TABLES_A_STATEMENT * costs.SMALLEST_QUERY_BYTES
HEADROOM = 2  # a stream that only just keeps up never catches up
KAFKA_DAYS, KAFKA_COPIES = 7, 3
# A build touches the current day and the latest day before; so do its new rows, shortly after midnight
TOUCHED_DAYS = 2
COPY_BYTES = 8 + 8  # response_key and response_date, by which a build finds copies
# The dashboards of 50 people: ten charts, every quarter of an hour for ten hours, and no cache
CHART_QUERIES_A_DAY = 50 * 10 * 40


@dataclass(frozen=True)
class Read:
    """A statement's read of a table: bytes per response, and the number of days that it reads."""

    name: str
    response_bytes: float
    days: int


def build_reads(figures: Figures, look_back_days: int, history_days: int = YEAR_DAYS) -> tuple[Read, ...]:
    """What a build of the marts reads. A table that a statement names twice is read twice."""
    of = figures.bytes_of
    return (
        Read("watermark", of("ingested_at", "survey_answered_at"), TOUCHED_DAYS),
        Read("new rows", of("response_id", "survey_answered_at", "ingested_at"), TOUCHED_DAYS),
        Read("copies", COPY_BYTES, look_back_days + 1),
        Read("fct_survey_responses", 2 * of(), TOUCHED_DAYS),  # the new rows, and the responses that are there
        Read("aggregates of the touched dates", 4 * of(), TOUCHED_DAYS),
        Read("agent_leaderboard", of("agent_id", "survey_answered_at", "issue_responded_at"), history_days),
    )


@dataclass(frozen=True)
class Load:
    """A number of responses a day, evenly over the days and with the profile's busiest hour."""

    responses_a_day: float
    figures: Figures
    settings: Settings

    @property
    def peak_rate(self) -> float:
        """Responses a second in the busiest hour."""
        return self.responses_a_day / DAY_SECONDS * self.figures.peak

    @property
    def cores(self) -> int:
        """Spark's cores, with headroom in the busiest hour."""
        return math.ceil(HEADROOM * self.peak_rate / self.figures.rows_a_core_second)

    @property
    def executors(self) -> int:
        """Executors of a batch of Serverless for Apache Spark."""
        return max(MIN_EXECUTORS, math.ceil(self.cores / EXECUTOR_CORES))

    @property
    def kafka_partitions(self) -> int:
        """Partitions: one for each core, and none above its throughput."""
        by_bytes = math.ceil(self.peak_rate * self.figures.message_bytes / KAFKA_PARTITION_BYTES_A_SECOND)
        return max(self.settings.kafka_partitions, self.cores, by_bytes)

    @property
    def kafka_gib(self) -> float:
        """Disk of the brokers, for a week and all replicas."""
        return self.responses_a_day * self.figures.message_bytes * KAFKA_DAYS * KAFKA_COPIES / GIB

    @property
    def batch_rows(self) -> float:
        """Responses of a batch in the busiest hour."""
        return self.peak_rate * self.settings.trigger

    @property
    def batch_limit(self) -> int:
        """CSAT_MAX_OFFSETS_PER_TRIGGER with which a backlog shrinks even in the busiest hour."""
        return max(self.settings.max_offsets_per_trigger, math.ceil(HEADROOM * self.batch_rows))

    @property
    def catch_up_minutes(self) -> float:
        """Minutes to catch up after a day's outage: limited by full batches per trigger, or by the executors' cores."""
        by_batches = self.batch_limit / self.settings.trigger
        by_cores = self.executors * EXECUTOR_CORES * self.figures.rows_a_core_second
        return self.responses_a_day / min(by_batches, by_cores) / 60

    @property
    def load_jobs(self) -> float:
        """Load jobs a day: by the trigger, independent of the volume."""
        return DAY_SECONDS / self.settings.trigger

    @property
    def partition_changes(self) -> float:
        """Partitions of the landing table that a day's load jobs change: one each, whatever the responses' dates."""
        return self.load_jobs

    @property
    def landed_gib(self) -> float:
        """Growth of the landing table in a month."""
        return self.responses_a_day * MONTH_DAYS * self.figures.bytes_of() / GIB

    @property
    def write_dollars(self) -> float:
        """A month of the Storage Write API, instead of load jobs, which are free."""
        return max(0.0, self.landed_gib - WRITE_FREE_GIB) * WRITE_DOLLARS_A_GIB

    @property
    def reads(self) -> dict[str, float]:
        """Bytes that each statement of a build reads."""
        reads = build_reads(self.figures, self.settings.marts_look_back_days)
        return {read.name: self.responses_a_day * read.days * read.response_bytes for read in reads}

    @property
    def largest_read(self) -> float:
        """Bytes of the statement that reaches CSAT_BIGQUERY_MAX_BYTES_BILLED first."""
        return max(self.reads.values())

    @property
    def builds(self) -> float:
        """Builds a day that landed rows start."""
        return DAY_SECONDS / self.settings.marts_every

    def mart_dollars(self, builds_a_day: float) -> float:
        """A month of this many builds a day, on demand."""
        build = max(MIN_BUILD_BYTES, sum(self.reads.values()))
        return costs.query_dollars(build * builds_a_day * MONTH_DAYS)

    @property
    def health_gib(self) -> float:
        """One query of the view pipeline_health, which counts the whole landing table."""
        columns = ("response_id", "ingested_at", "kafka_timestamp", "survey_answered_at")
        return self.responses_a_day * YEAR_DAYS * self.figures.bytes_of(*columns) / GIB


def chart_dollars() -> float:
    """A month of the charts: the marts are so small that each query is billed the minimum."""
    return costs.query_dollars(CHART_QUERIES_A_DAY * MONTH_DAYS * costs.SMALLEST_QUERY_BYTES)


def binds_at(demand: Callable[[float], float], limit: float) -> float | None:
    """Responses a day from which demand exceeds the limit; None: not below 10^12. `demand` is monotonic."""
    low, high = 1.0, 1e12
    if demand(high) <= limit:
        return None
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if demand(middle) > limit else (middle, high)
    return high
