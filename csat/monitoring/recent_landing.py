"""What landed in the last hour, read from the newest partitions, so that a check every five minutes stays cheap.

The table is partitioned by response date. Almost all new rows have a recent one, and rejected rows are in the NULL
partition; a copy sent late is in an older partition and looks like a gap here. Gaps are searched for in all partitions,
but at most once an hour. `csat check completeness`, run daily by the DAG maintain, proves the whole table.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from csat.bigquery.client import Warehouse
from csat.contract import landing
from csat.marts.builds import last_record
from csat.monitoring.facts import LandingFacts, MartFacts

RECENT = timedelta(days=2)
WINDOW = timedelta(hours=1)
SEARCH_WINDOW = 2 * WINDOW  # searches are an hour apart: this leaves nothing out
SEARCH_EVERY = timedelta(hours=1)
_EVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

_SELECT = """
    select
        kafka_topic,
        kafka_partition,
        count(*) as row_count,
        count(distinct kafka_offset) as distinct_offsets,
        max(kafka_offset) - min(kafka_offset) + 1 as record_count,
        countif(rejection_reason is not null) as rejected_count,
        max(ingested_at) as newest_at
    from `{landing}`
    where ingested_at >= @since
"""
_RECENT_SQL = _SELECT + "and (survey_answered_at >= @recent or survey_answered_at is null) group by 1, 2"
_ALL_SQL = _SELECT + "group by 1, 2"
_WAITING_SQL = """
    select min(ingested_at) as waiting_since
    from `{landing}`
    where rejection_reason is null and ingested_at > @watermark and survey_answered_at >= @recent
"""


@dataclass(frozen=True)
class Landing:
    """The facts, and when all partitions were last searched."""

    facts: LandingFacts
    searched_at: datetime | None


def recent_landing(warehouse: Warehouse, now: datetime, searched_at: datetime | None) -> Landing:
    """What landed in the last hour. Raises WarehouseError."""
    rows = _query(warehouse, _RECENT_SQL, since=now - WINDOW, recent=now - RECENT)
    facts = summed(rows)
    if not facts.lost:
        return Landing(facts, searched_at)
    if searched_at is not None and now - searched_at < SEARCH_EVERY:
        return Landing(_with_lost(facts, None, facts.duplicated), searched_at)
    everywhere = summed(_query(warehouse, _ALL_SQL, since=now - SEARCH_WINDOW))
    return Landing(_with_lost(facts, everywhere.lost, everywhere.duplicated), now)


def summed(rows: list[dict[str, Any]]) -> LandingFacts:
    """The facts of all Kafka partitions together; a gap between two landed offsets counts as lost."""
    records, distinct = (sum(row[name] for row in rows) for name in ("record_count", "distinct_offsets"))
    return LandingFacts(
        newest_at=max((row["newest_at"] for row in rows), default=None),
        records=records,
        rejected=sum(row["rejected_count"] for row in rows),
        lost=records - distinct,
        duplicated=sum(row["row_count"] for row in rows) - distinct,
    )


def mart_facts(warehouse: Warehouse, now: datetime) -> MartFacts:
    """When the marts were built, and since when a new row has waited. Raises WarehouseError."""
    record = last_record(warehouse)
    watermark = record.watermark_to if record else _EVER
    [row] = _query(warehouse, _WAITING_SQL, watermark=watermark, recent=now - RECENT)
    return MartFacts(record.built_at if record else None, row["waiting_since"])


def _with_lost(facts: LandingFacts, lost: int | None, duplicated: int) -> LandingFacts:
    return LandingFacts(facts.newest_at, facts.records, facts.rejected, lost, duplicated)


def _query(warehouse: Warehouse, sql: str, **parameters: Any) -> list[dict[str, Any]]:
    table = warehouse.settings.table("raw", landing.TABLE)
    return warehouse.rows(sql.format(landing=table), **parameters)
