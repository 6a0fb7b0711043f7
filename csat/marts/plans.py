"""The plan of a mart build, from the landing table and the record of the last build."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from csat.bigquery.client import Warehouse
from csat.bigquery.erasures import EVER, erase_copies
from csat.bigquery.query import Query
from csat.bigquery.tables import find_table
from csat.marts.builds import BuildRecord, last_record

# A row may become visible after one that the stream read later. Building a date twice is harmless.
LOOK_BACK = timedelta(minutes=5)
# BigQuery modifies at most 4,000 partitions per job; a full refresh is faster long before that.
MAX_DATES = 366
_DAY = timedelta(days=1)
_RESPONSES, _KEY = "fct_survey_responses", "response_key"
_DAILY = "agg_category_daily"

COUNT = Query.read(__file__, "accepted_count")
LATEST = Query.read(__file__, "latest_response")
TOUCHED = Query.read(__file__, "touched_dates")
FIRST_OTHER = Query.read(__file__, "first_other_date")


@dataclass(frozen=True)
class Plan:
    """The work of a build. No watermark_to: the landing table has no accepted row of the past.

    watermark_to is not in the future; read_until is, where a row of a clock that was ahead landed.
    earliest_date: no older date is built; None: there is no limit.
    """

    accepted_count: int
    watermark_from: datetime | None = None
    watermark_to: datetime | None = None
    read_until: datetime | None = None
    latest_response_date: date | None = None
    earliest_date: date | None = None
    dates: tuple[date, ...] = ()
    is_full_refresh: bool = False

    @property
    def new_since(self) -> datetime | None:
        """The build adds the rows read after this time to the responses of its dates; None: it computes them from all.

        They end with `read_until`: a later row may be a copy of a response of another date.
        """
        return self.watermark_from - LOOK_BACK if self.watermark_from and self.earliest_date else None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to build."""
        return not (self.dates or self.is_full_refresh)


def plan_build(warehouse: Warehouse, *, full_refresh: bool = False, now: datetime | None = None) -> Plan:
    """The plan for the rows that landed since the last build; the first build is a full refresh.

    No date is later than today and the allowance of the settings: a response of next year that has landed would be the
    latest one, and the look-back would leave out all others. After such a record the build is a full refresh, as it is
    where the responses that dbt built are missing, or have no keys: an earlier release built them.

    The previous latest date is always among the dates: its leaderboard has the rows of the window "all" until a later
    date has them, and the leaderboards of dates without responses start after it. So is, where the first date may
    change, the first one that is not touched: which windows have a complete previous one depends on the first date.

    New messages that name an erased id are erased first.
    """
    last = last_record(warehouse)
    end = _end(warehouse, now)
    if last is None or full_refresh or _start(last.latest_response_date) >= end or not _has_keys(warehouse):
        erase_copies(warehouse)
        return replace(plan_everything(warehouse, now), watermark_from=last.watermark_to if last else None)
    plan = _plan_new_rows(warehouse, last, end)
    if (plan.accepted_count, plan.watermark_to) == (last.accepted_count, last.watermark_to):
        return plan
    erase_copies(warehouse, plan.new_since or EVER)
    touched = _touched(warehouse, plan, end)
    if not touched:  # all new rows are older: the reconciliation finds them
        return plan
    if len(touched) > MAX_DATES:
        return replace(plan, is_full_refresh=True, earliest_date=None)
    return replace(plan, dates=_with_first(warehouse, touched | {last.latest_response_date}))


def _plan_new_rows(warehouse: Warehouse, last: BuildRecord, end: datetime) -> Plan:
    """A plan without its dates. The watermark moves without a new row, too, when the time of a row has come."""
    [count] = COUNT.rows(warehouse)  # first: a row that lands meanwhile is then new to the next build
    earliest = last.latest_response_date - timedelta(days=warehouse.settings.marts_look_back_days)
    plan = Plan(count["accepted_count"], last.watermark_to, earliest_date=earliest)
    [latest] = LATEST.rows(warehouse, read_since=plan.new_since, end=end)
    return replace(
        plan,
        watermark_to=max(last.watermark_to, latest["watermark_to"] or last.watermark_to),
        read_until=latest["read_until"] or last.watermark_to,
        latest_response_date=max(last.latest_response_date, latest["latest_response_date"] or date.min),
    )


def plan_everything(warehouse: Warehouse, now: datetime | None = None) -> Plan:
    """Build all dates, from all responses."""
    [count] = COUNT.rows(warehouse)  # first: a row that lands meanwhile is then new to the next build
    [latest] = LATEST.rows(warehouse, read_since=_start(date.min), end=_end(warehouse, now))
    return Plan(**count, **latest, is_full_refresh=None not in latest.values())


def plan_rebuild(warehouse: Warehouse, dates: tuple[date, ...]) -> Plan:
    """Rebuild these dates from all responses, or everything where there are too many dates."""
    plan = plan_everything(warehouse)
    if plan.is_empty or len(dates) > MAX_DATES:
        return plan
    return replace(plan, dates=_with_first(warehouse, set(dates)), is_full_refresh=False)


def _touched(warehouse: Warehouse, plan: Plan, end: datetime) -> set[date]:
    """The dates of the responses that landed since the last build, and of those that they are copies of."""
    rows = TOUCHED.rows(
        warehouse,
        earliest=plan.earliest_date,
        latest=(end - _DAY).date(),
        since=plan.new_since,
        until=plan.read_until,
    )
    return {row["response_date"] for row in rows}


def _with_first(warehouse: Warehouse, dates: set[date]) -> tuple[date, ...]:
    """The dates, and the first other one that dbt built if one of them is earlier.

    The first date before the build and the one after it are then among them; otherwise it does not change.
    """
    if find_table(warehouse, warehouse.settings.table("candidate", _DAILY)) is None:
        return tuple(sorted(dates))
    [first] = FIRST_OTHER.rows(warehouse, dates=sorted(dates))
    other = first["response_date"]
    return tuple(sorted(dates | {other} if other and other > min(dates) else dates))


def _has_keys(warehouse: Warehouse) -> bool:
    """Whether copies can be found among the responses that dbt built."""
    table = find_table(warehouse, warehouse.settings.table("candidate", _RESPONSES))
    return table is not None and any(field.name == _KEY for field in table.schema)


def latest_date(warehouse: Warehouse, now: datetime | None = None) -> date:
    """The latest date that a response may have: today, with the allowance of the settings."""
    latest = (now or datetime.now(UTC)) + timedelta(minutes=warehouse.settings.max_minutes_ahead)
    return latest.astimezone(UTC).date()


def _end(warehouse: Warehouse, now: datetime | None) -> datetime:
    """The end of the latest date that a response may have."""
    return _start(latest_date(warehouse, now) + _DAY)


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
