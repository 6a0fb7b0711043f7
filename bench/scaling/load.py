"""One volume of answers, and what it asks of each part. Pure: figures and settings in, numbers out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from bench.scaling.figures import (
    EXECUTOR_CORES,
    KAFKA_PARTITION_BYTES_A_SECOND,
    LEAST_EXECUTORS,
    LEAST_QUERY_BYTES,
    QUERY_DOLLARS_A_TIB,
    WRITE_DOLLARS_A_GIB,
    WRITE_FREE_GIB,
    Figures,
)
from csat.settings import Settings

DAY_SECONDS, MONTH_DAYS, YEAR_DAYS = 86_400, 30, 365
GIB, TIB = 1024**3, 1024**4
HEADROOM = 2  # a stream that only just keeps up never catches up
KAFKA_DAYS, KAFKA_COPIES = 7, 3
# A batch holds answers of today, late ones of four days, and rejected rows, which have a partition of their own
BATCH_PARTITIONS = 6
# A build takes the day up that goes on and the latest one before
TOUCHED_DAYS = 2
# The dashboards of 50 people: ten charts, every quarter of an hour for ten hours, and no cache
CHART_QUERIES_A_DAY = 50 * 10 * 40


@dataclass(frozen=True)
class Read:
    """A statement's read of a table: bytes of one answer, over so many days of answers."""

    name: str
    answer_bytes: float
    days: int


def build_reads(figures: Figures, look_back_days: int, history_days: int = YEAR_DAYS) -> tuple[Read, ...]:
    """What a build of the marts reads of answers. A table that a statement names twice is read twice."""
    of = figures.bytes_of
    touched = of("response_id", "survey_answered_at")
    return (
        Read("watermark", of("ingested_at", "survey_answered_at"), look_back_days),
        Read("touched dates", 2 * touched + of("ingested_at"), look_back_days),
        Read("fct_survey_responses", touched + of(), look_back_days),
        Read("aggregates of the touched dates", 4 * of(), TOUCHED_DAYS),
        Read("agent_leaderboard", of("agent_id", "survey_answered_at", "issue_responded_at"), history_days),
    )


@dataclass(frozen=True)
class Load:
    """So many answers a day, evenly over the days and with the profile's busiest hour."""

    answers_a_day: float
    figures: Figures
    settings: Settings

    @property
    def peak_rate(self) -> float:
        """Answers a second in the busiest hour."""
        return self.answers_a_day / DAY_SECONDS * self.figures.peak

    @property
    def cores(self) -> int:
        """Spark's cores, with headroom in the busiest hour."""
        return math.ceil(HEADROOM * self.peak_rate / self.figures.rows_a_core_second)

    @property
    def executors(self) -> int:
        """Executors of a batch of Serverless for Apache Spark."""
        return max(LEAST_EXECUTORS, math.ceil(self.cores / EXECUTOR_CORES))

    @property
    def kafka_partitions(self) -> int:
        """Partitions: one for each core, and none with more than it takes well."""
        by_bytes = math.ceil(self.peak_rate * self.figures.message_bytes / KAFKA_PARTITION_BYTES_A_SECOND)
        return max(self.settings.kafka_partitions, self.cores, by_bytes)

    @property
    def kafka_gib(self) -> float:
        """Disk of the brokers, for a week and all copies."""
        return self.answers_a_day * self.figures.message_bytes * KAFKA_DAYS * KAFKA_COPIES / GIB

    @property
    def batch_rows(self) -> float:
        """Answers of a batch in the busiest hour."""
        return self.peak_rate * self.settings.trigger

    @property
    def batch_limit(self) -> int:
        """CSAT_MAX_OFFSETS_PER_TRIGGER with which a backlog shrinks in the busiest hour too."""
        return max(self.settings.max_offsets_per_trigger, math.ceil(HEADROOM * self.batch_rows))

    @property
    def catch_up_minutes(self) -> float:
        """To work off a day's outage, batch after batch, by all cores of the executors."""
        return self.answers_a_day / (self.executors * EXECUTOR_CORES * self.figures.rows_a_core_second) / 60

    @property
    def load_jobs(self) -> float:
        """Load jobs a day: by the clock, whatever the volume."""
        return DAY_SECONDS / self.settings.trigger

    @property
    def partition_changes(self) -> float:
        """Partitions of the landing table that a day's load jobs change."""
        return self.load_jobs * max(1, min(self.batch_rows, BATCH_PARTITIONS))

    @property
    def landed_gib(self) -> float:
        """What a month adds to the landing table."""
        return self.answers_a_day * MONTH_DAYS * self.figures.bytes_of() / GIB

    @property
    def write_dollars(self) -> float:
        """A month of the Storage Write API, in place of load jobs, which cost nothing."""
        return max(0.0, self.landed_gib - WRITE_FREE_GIB) * WRITE_DOLLARS_A_GIB

    @property
    def reads(self) -> dict[str, float]:
        """Bytes that each statement of a build reads."""
        reads = build_reads(self.figures, self.settings.marts_look_back_days)
        return {read.name: self.answers_a_day * read.days * read.answer_bytes for read in reads}

    @property
    def largest_read(self) -> float:
        """Bytes of the statement that meets CSAT_BIGQUERY_MAX_BYTES_BILLED first."""
        return max(self.reads.values())

    def mart_dollars(self, builds_a_day: float) -> float:
        """A month of so many builds a day, on demand."""
        build = sum(max(LEAST_QUERY_BYTES, size) for size in self.reads.values())
        return query_dollars(build * builds_a_day * MONTH_DAYS)

    @property
    def health_gib(self) -> float:
        """One look at the view pipeline_health, which counts the whole landing table."""
        columns = ("response_id", "ingested_at", "kafka_timestamp", "survey_answered_at")
        return self.answers_a_day * YEAR_DAYS * self.figures.bytes_of(*columns) / GIB


def chart_dollars() -> float:
    """A month of the charts: the marts are so small that each query counts as the least there is."""
    return query_dollars(CHART_QUERIES_A_DAY * MONTH_DAYS * LEAST_QUERY_BYTES)


def query_dollars(bytes_read: float) -> float:
    """What it costs to read so much, on demand."""
    return bytes_read / TIB * QUERY_DOLLARS_A_TIB


def binds_at(asked: Callable[[float], float], limit: float) -> float | None:
    """Answers a day from which more is asked for than the limit; None: not below 10^12. `asked` never shrinks."""
    low, high = 1.0, 1e12
    if asked(high) <= limit:
        return None
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if asked(middle) > limit else (middle, high)
    return high
