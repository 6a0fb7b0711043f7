"""The two tables of docs/scaling.md: the load at each volume, and the volume at which each limit applies."""

from collections.abc import Callable

from csat.contract.settings import LOAD_JOBS_A_DAY, Settings
from tools.bench.results import markdown
from tools.bench.scaling.figures import (
    EXECUTOR_CORES,
    MIN_EXECUTORS,
    PARTITION_CHANGES_A_DAY,
    WRITE_FREE_GIB,
    Figures,
)
from tools.bench.scaling.load import Load, binds_at, chart_dollars

RESPONSES_A_DAY = (2_771, 100_000, 1_000_000, 10_000_000, 100_000_000)
SPEND = 1_000  # dollars a month, an example of a budget

# Label, value and format of each line
_LINES: tuple[tuple[str, Callable[[Load], float], str], ...] = (
    ("responses a second, busiest hour", lambda load: load.peak_rate, "{:,.2f}"),
    ("Kafka: partitions", lambda load: load.kafka_partitions, "{:,}"),
    ("Kafka: GiB on disk, 7 days, 3 copies", lambda load: load.kafka_gib, "{:,.1f}"),
    ("Spark: cores in use, busiest hour", lambda load: load.peak_rate / load.figures.rows_a_core_second, "{:.3f}"),
    ("Spark: executors of 4 cores", lambda load: load.executors, "{:,}"),
    ("responses in a batch, busiest hour", lambda load: load.batch_rows, "{:,.0f}"),
    ("`CSAT_MAX_OFFSETS_PER_TRIGGER`", lambda load: load.batch_limit, "{:,}"),
    ("minutes to catch up after a day's outage", lambda load: load.catch_up_minutes, "{:,.1f}"),
    ("load jobs a day", lambda load: load.load_jobs, "{:,.0f}"),
    ("changed partitions a day", lambda load: load.partition_changes, "{:,.0f}"),
    ("landed GiB a month", lambda load: load.landed_gib, "{:,.1f}"),
    ("Storage Write API instead, $ a month", lambda load: load.write_dollars, "{:,.0f}"),
    ("largest statement of a build, GB", lambda load: load.largest_read / 1e9, "{:,.2f}"),
    ("marts built for every batch, $ a month", lambda load: load.mart_dollars(load.load_jobs), "{:,.0f}"),
    ("marts built every 15 minutes, $ a month", lambda load: load.mart_dollars(load.builds), "{:,.0f}"),
    ("dashboards on the marts, $ a month", lambda _: chart_dollars(), "{:,.0f}"),
    ("one query of `pipeline_health`, GiB", lambda load: load.health_gib, "{:,.2f}"),
)


def load_table(figures: Figures, settings: Settings) -> str:
    """A line for each figure, a column for each volume."""
    loads = [Load(responses, figures, settings) for responses in RESPONSES_A_DAY]
    return markdown(
        [
            {"responses a day": name} | {f"{load.responses_a_day:,}": pattern.format(value(load)) for load in loads}
            for name, value, pattern in _LINES
        ]
    )


def limits_table(figures: Figures, settings: Settings) -> str:
    """A line for each limit, the lowest volume first."""

    def binds(demand: Callable[[Load], float], limit: float) -> float | None:
        return binds_at(lambda responses: demand(Load(responses, figures, settings)), limit)

    limits = [(name, binds(demand, limit)) for name, demand, limit in _limits(figures, settings)]
    limits.sort(key=lambda limit: limit[1] or float("inf"))
    return markdown([{"limit": name, "reached at responses a day": _volume(volume)} for name, volume in limits])


def _limits(figures: Figures, settings: Settings) -> tuple[tuple[str, Callable[[Load], float], float], ...]:
    billed, batch, core = (
        settings.bigquery_max_bytes_billed,
        settings.max_offsets_per_trigger,
        figures.rows_a_core_second,
    )
    cores = MIN_EXECUTORS * EXECUTOR_CORES
    jobs, changes = LOAD_JOBS_A_DAY, PARTITION_CHANGES_A_DAY
    return (
        (f"a build's largest statement reads {billed / 1e9:g} GB", lambda load: load.largest_read, billed),
        (f"marts for every batch: ${SPEND:,} a month", lambda load: load.mart_dollars(load.load_jobs), SPEND),
        (f"marts every 15 minutes: ${SPEND:,} a month", lambda load: load.mart_dollars(load.builds), SPEND),
        (f"a batch of {batch:,} is smaller than the incoming volume", lambda load: load.batch_rows, batch),
        (f"Storage Write API: {WRITE_FREE_GIB:,} GiB a month are free", lambda load: load.landed_gib, WRITE_FREE_GIB),
        (f"one core of Spark takes {core:,.0f} rows/s", lambda load: load.peak_rate, core),
        (f"{cores} cores, the minimum of a batch, with headroom", lambda load: load.cores, cores),
        (f"BigQuery: {jobs:,} load jobs a day", lambda load: load.load_jobs, jobs),
        (
            f"BigQuery: {changes:,} changed partitions a day, one a job",
            lambda load: load.partition_changes,
            changes,
        ),
    )


def _volume(volume: float | None) -> str:
    """The volume, rounded to two figures."""
    return "never" if volume is None else f"{float(f'{volume:.1e}'):,.0f}"
