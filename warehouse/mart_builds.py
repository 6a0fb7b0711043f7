"""The record of the builds of the marts, and what it says is to be built next.

The watermark is the greatest `ingested_at` in the landing table when the last build began: never a clock's time.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from csat import landing
from warehouse.client import Warehouse
from warehouse.tables import append_rows

TABLE = "mart_builds"
# A row may become visible after one that the stream read later. To build a date twice does no harm.
LOOK_BACK = timedelta(minutes=5)
# BigQuery changes 4,000 partitions a job at most; long before that a full refresh is the quicker way.
MAX_TOUCHED_DATES = 366

_STATE_SQL = """
select
    countif(rejection_reason is null) as accepted_count,
    max(ingested_at) as watermark_to,
    max(if(rejection_reason is null, date(survey_answered_at), null)) as latest_answered_date
from `{landing}`
"""
# All dates of a response: a copy with another date may win, or lose, against a row of long ago.
_TOUCHED_SQL = """
select distinct date(survey_answered_at) as answered_date
from `{landing}`
where rejection_reason is null
    and response_id in (
        select response_id from `{landing}`
        where rejection_reason is null and ingested_at > @since and ingested_at <= @until
    )
"""
_LAST_SQL = "select * from `{builds}` where status = 'succeeded' order by watermark_to desc, built_at desc limit 1"


@dataclass(frozen=True)
class Plan:
    """What a build has to do. No watermark_to: the landing table has no accepted row."""

    watermark_from: datetime | None
    watermark_to: datetime | None
    latest_answered_date: date | None
    accepted_count: int
    dates: tuple[date, ...] = ()
    is_full_refresh: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to build."""
        return not (self.dates or self.is_full_refresh)


@dataclass(frozen=True)
class BuildRecord:
    """One row of the table."""

    build_id: str
    status: Literal["succeeded", "partial"]
    is_full_refresh: bool
    started_at: datetime
    built_at: datetime
    build_seconds: float
    watermark_from: datetime | None
    watermark_to: datetime
    touched_dates: tuple[date, ...]
    latest_answered_date: date
    accepted_count: int
    response_count: int
    model_count: int
    test_count: int

    def as_dict(self) -> dict[str, Any]:
        """The record in JSON's types."""
        record: dict[str, Any] = json.loads(json.dumps(asdict(self), default=lambda value: value.isoformat()))
        return record


def last_record(warehouse: Warehouse) -> BuildRecord | None:
    """The last build of all models."""
    rows = warehouse.rows(_LAST_SQL.format(builds=warehouse.settings.table("ops", TABLE)))
    if not rows:
        return None
    row = rows[0]
    moments = {name: value.astimezone(UTC) for name, value in row.items() if isinstance(value, datetime)}
    return BuildRecord(**{**row, **moments, "touched_dates": tuple(row["touched_dates"])})


def insert_record(warehouse: Warehouse, record: BuildRecord) -> None:
    """Insert the record, once however often it is sent."""
    append_rows(warehouse, TABLE, [record.as_dict()], job_id=f"mart_build_{record.build_id}")


def plan_build(warehouse: Warehouse, *, full_refresh: bool = False) -> Plan:
    """What the rows that came since the last build ask for; the first build asks for all.

    The former latest date is always among the dates: its board holds the rows of the window "all" until a later date
    takes them over, and the boards of dates without answers begin after it.
    """
    source = warehouse.settings.table("raw", landing.TABLE)
    state = warehouse.rows(_STATE_SQL.format(landing=source))[0]
    last = last_record(warehouse)
    plan = Plan(last.watermark_to if last else None, **state)
    if plan.watermark_to is None or not plan.accepted_count:
        return plan
    if last is None or full_refresh:
        return _full(plan)
    if plan.accepted_count == last.accepted_count:
        return plan
    since = last.watermark_to - LOOK_BACK
    rows = warehouse.rows(_TOUCHED_SQL.format(landing=source), since=since, until=plan.watermark_to)
    touched = {row["answered_date"] for row in rows}
    # New rows that all look old, or too many dates.
    if not 0 < len(touched) <= MAX_TOUCHED_DATES:
        return _full(plan)
    dates = tuple(sorted(touched | {last.latest_answered_date}))
    return Plan(last.watermark_to, plan.watermark_to, plan.latest_answered_date, plan.accepted_count, dates)


def _full(plan: Plan) -> Plan:
    return Plan(
        plan.watermark_from, plan.watermark_to, plan.latest_answered_date, plan.accepted_count, is_full_refresh=True
    )
