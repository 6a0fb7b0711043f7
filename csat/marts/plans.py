"""The plan of a mart build, from the landing table and the record of the last build."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from csat.bigquery.client import Warehouse
from csat.contract import landing
from csat.marts.builds import last_record

# A row may become visible after one that the stream read later. Building a date twice is harmless.
LOOK_BACK = timedelta(minutes=5)
# BigQuery modifies at most 4,000 partitions per job; a full refresh is faster long before that.
MAX_DATES = 366

_COUNT_SQL = "select countif(rejection_reason is null) as accepted_count from `{landing}`"
# The partition column is compared with a constant, so that BigQuery reads no older partition.
_LATEST_SQL = """
select
    max(ingested_at) as watermark_to,
    date(max(survey_answered_at)) as latest_response_date
from `{landing}`
where rejection_reason is null and survey_answered_at >= @earliest
"""
# All dates of a response: a duplicate with another date may win, or lose, against an old row.
_TOUCHED_SQL = """
select distinct date(survey_answered_at) as response_date
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
    """The work of a build. No watermark_to: the landing table has no accepted row.

    earliest_date: the build reads no older responses; None: it reads all.
    """

    accepted_count: int
    watermark_from: datetime | None = None
    watermark_to: datetime | None = None
    latest_response_date: date | None = None
    earliest_date: date | None = None
    dates: tuple[date, ...] = ()
    is_full_refresh: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to build."""
        return not (self.dates or self.is_full_refresh)


def plan_build(warehouse: Warehouse, *, full_refresh: bool = False) -> Plan:
    """The plan for the rows that landed since the last build; the first build is a full refresh.

    The previous latest date is always among the dates: its leaderboard has the rows of the window "all" until a later
    date has them, and the leaderboards of dates without responses start after it.
    """
    last = last_record(warehouse)
    if last is None or full_refresh:
        return replace(plan_everything(warehouse), watermark_from=last.watermark_to if last else None)
    count = _query_row(warehouse, _COUNT_SQL)["accepted_count"]
    plan = Plan(count, last.watermark_to)
    if count == last.accepted_count:
        return plan
    earliest = last.latest_response_date - timedelta(days=warehouse.settings.marts_look_back_days)
    plan = replace(plan, **_query_row(warehouse, _LATEST_SQL, earliest=_start(earliest)), earliest_date=earliest)
    touched = _touched(warehouse, plan)
    if not touched:  # all new rows are older: the reconciliation finds them
        return plan
    if len(touched) > MAX_DATES:
        return replace(plan, is_full_refresh=True, earliest_date=None)
    return replace(plan, dates=tuple(sorted(touched | {last.latest_response_date})))


def plan_everything(warehouse: Warehouse) -> Plan:
    """Build all dates, from all responses."""
    state = _query_row(warehouse, _COUNT_SQL) | _query_row(warehouse, _LATEST_SQL, earliest=_start(date.min))
    return Plan(**state, is_full_refresh=state["accepted_count"] > 0)


def plan_rebuild(warehouse: Warehouse, dates: tuple[date, ...]) -> Plan:
    """Rebuild these dates from all responses, or everything where there are too many dates."""
    plan = plan_everything(warehouse)
    if plan.is_empty or len(dates) > MAX_DATES:
        return plan
    return replace(plan, dates=tuple(sorted(dates)), is_full_refresh=False)


def _touched(warehouse: Warehouse, plan: Plan) -> set[date]:
    """The dates of the responses that landed since the last build."""
    assert plan.watermark_from is not None
    if plan.watermark_to is None or plan.earliest_date is None:
        return set()
    rows = warehouse.rows(
        _TOUCHED_SQL.format(landing=_landing(warehouse)),
        earliest=_start(plan.earliest_date),
        since=plan.watermark_from - LOOK_BACK,
        until=plan.watermark_to,
    )
    return {row["response_date"] for row in rows}


def _query_row(warehouse: Warehouse, sql: str, **parameters: Any) -> dict[str, Any]:
    [row] = warehouse.rows(sql.format(landing=_landing(warehouse)), **parameters)
    return row


def _landing(warehouse: Warehouse) -> str:
    return warehouse.settings.table("raw", landing.TABLE)


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
