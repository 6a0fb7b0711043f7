"""What a build of the marts is to do, from what the landing table and the last build's record say."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from csat import landing
from warehouse.client import Warehouse
from warehouse.mart_builds import last_record

# A row may become visible after one that the stream read later. To build a date twice does no harm.
LOOK_BACK = timedelta(minutes=5)
# BigQuery changes 4,000 partitions a job at most; long before that a full refresh is the quicker way.
MAX_DATES = 366

_COUNT_SQL = "select countif(rejection_reason is null) as accepted_count from `{landing}`"
# The partition column is compared with a constant: BigQuery reads no older partition.
_LATEST_SQL = """
select
    max(ingested_at) as watermark_to,
    date(max(survey_answered_at)) as latest_answered_date
from `{landing}`
where rejection_reason is null and survey_answered_at >= @earliest
"""
# All dates of a response: a copy with another date may win, or lose, against a row of long ago.
_TOUCHED_SQL = """
select distinct date(survey_answered_at) as answered_date
from `{landing}`
where rejection_reason is null
    and survey_answered_at >= @earliest
    and response_id in (
        select response_id from `{landing}`
        where rejection_reason is null
            and survey_answered_at >= @earliest
            and ingested_at > @since
            and ingested_at <= @until
    )
"""


@dataclass(frozen=True)
class Plan:
    """What a build has to do. No watermark_to: the landing table has no accepted row.

    earliest_date: the build reads no older answers; None: it reads all.
    """

    accepted_count: int
    watermark_from: datetime | None = None
    watermark_to: datetime | None = None
    latest_answered_date: date | None = None
    earliest_date: date | None = None
    dates: tuple[date, ...] = ()
    is_full_refresh: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to build."""
        return not (self.dates or self.is_full_refresh)


def plan_build(warehouse: Warehouse, *, full_refresh: bool = False) -> Plan:
    """What the rows that came since the last build ask for; the first build asks for all.

    The former latest date is always among the dates: its board holds the rows of the window "all" until a later date
    takes them over, and the boards of dates without answers begin after it.
    """
    last = last_record(warehouse)
    if last is None or full_refresh:
        return replace(plan_everything(warehouse), watermark_from=last.watermark_to if last else None)
    count = _ask(warehouse, _COUNT_SQL)["accepted_count"]
    plan = Plan(count, last.watermark_to)
    if count == last.accepted_count:
        return plan
    earliest = last.latest_answered_date - timedelta(days=warehouse.settings.marts_look_back_days)
    plan = replace(plan, **_ask(warehouse, _LATEST_SQL, earliest=_start(earliest)), earliest_date=earliest)
    touched = _touched(warehouse, plan)
    if not touched:  # all that came is older: the reconciliation finds it
        return plan
    if len(touched) > MAX_DATES:
        return replace(plan, is_full_refresh=True, earliest_date=None)
    return replace(plan, dates=tuple(sorted(touched | {last.latest_answered_date})))


def plan_everything(warehouse: Warehouse) -> Plan:
    """Build all dates, from all answers there are."""
    state = _ask(warehouse, _COUNT_SQL) | _ask(warehouse, _LATEST_SQL, earliest=_start(date.min))
    return Plan(**state, is_full_refresh=state["accepted_count"] > 0)


def plan_rebuild(warehouse: Warehouse, dates: tuple[date, ...]) -> Plan:
    """Build these dates anew, from all answers there are, or everything where there are too many."""
    plan = plan_everything(warehouse)
    if plan.is_empty or len(dates) > MAX_DATES:
        return plan
    return replace(plan, dates=tuple(sorted(dates)), is_full_refresh=False)


def _touched(warehouse: Warehouse, plan: Plan) -> set[date]:
    """The answer dates of the responses that came since the last build."""
    assert plan.watermark_from is not None
    if plan.watermark_to is None or plan.earliest_date is None:
        return set()
    rows = warehouse.rows(
        _TOUCHED_SQL.format(landing=_landing(warehouse)),
        earliest=_start(plan.earliest_date),
        since=plan.watermark_from - LOOK_BACK,
        until=plan.watermark_to,
    )
    return {row["answered_date"] for row in rows}


def _ask(warehouse: Warehouse, sql: str, **parameters: Any) -> dict[str, Any]:
    [row] = warehouse.rows(sql.format(landing=_landing(warehouse)), **parameters)
    return row


def _landing(warehouse: Warehouse) -> str:
    return warehouse.settings.table("raw", landing.TABLE)


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
