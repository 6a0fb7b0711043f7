"""`csat marts build` and `csat marts rebuild`: dbt over the dates that are to be built, one build at a time.

Only success moves the watermark: whatever step a build dies at, the next one does the same dates again.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from csat.settings import Settings
from warehouse.build_lock import LOCK_WAIT_SECONDS, build_lock
from warehouse.client import Warehouse, WarehouseError
from warehouse.dbt_build import MartsError, dbt_folder, dbt_log, run_dbt, words_of_build
from warehouse.dbt_process import Tell
from warehouse.dbt_results import DbtResult, record_results
from warehouse.freshness import grade
from warehouse.mart_builds import BuildRecord, insert_record, last_record
from warehouse.mart_plans import Plan, plan_build, plan_rebuild
from warehouse.tables import create_ops_tables

__all__ = ["BuildReport", "MartsError", "build", "last_build", "rebuild"]

Status = Literal["succeeded", "partial"]
_NOTHING = "Nothing new in the landing table."


@dataclass(frozen=True)
class BuildReport:
    """What a build did; no record where there was nothing to do."""

    status: Status | Literal["nothing new"]
    watermark: datetime | None
    record: BuildRecord | None = None

    def as_dict(self) -> dict[str, Any]:
        """The report in JSON's types: status, watermark, and the record's fields where there is one."""
        watermark = self.watermark.isoformat() if self.watermark else None
        return {**(self.record.as_dict() if self.record else {}), "status": self.status, "watermark": watermark}


def build(
    settings: Settings,
    *,
    full_refresh: bool = False,
    select: str | None = None,
    on_progress: Tell | None = None,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
) -> BuildReport:
    """Bring the marts up to the landing table. `select` takes dbt's words; a part of the marts moves no watermark.

    Raises MartsError where a model or a test fails, and BuildLockError where another build does not end in time.
    """
    tell = on_progress or to_stderr
    with build_lock(dbt_folder(settings), tell, lock_wait_seconds) as lock, Warehouse(settings) as warehouse:
        create_tables(warehouse)
        plan = plan_build(warehouse, full_refresh=full_refresh)
        _tell_of_stale_rows(plan, tell)
        if plan.is_empty:
            tell(_NOTHING)
            return BuildReport("nothing new", plan.watermark_from)
        record = run_plan(warehouse, plan, tell, lock, select=select, status="partial" if select else "succeeded")
    return BuildReport(record.status, plan.watermark_from if select else plan.watermark_to, record)


def rebuild(
    settings: Settings,
    *,
    dates: tuple[date, date] | None = None,
    select: str | None = None,
    on_progress: Tell | None = None,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
) -> BuildReport:
    """Build anew, whether something came or not: the dates from the first to the last, or all of them.

    Raises MartsError and BuildLockError as `build` does.
    """
    if dates is None:
        return build(
            settings, full_refresh=True, select=select, on_progress=on_progress, lock_wait_seconds=lock_wait_seconds
        )
    tell = on_progress or to_stderr
    with build_lock(dbt_folder(settings), tell, lock_wait_seconds) as lock, Warehouse(settings) as warehouse:
        create_tables(warehouse)
        plan = plan_rebuild(warehouse, days_between(*dates))
        if plan.is_empty:
            tell(_NOTHING)
            return BuildReport("nothing new", None)
        record = run_plan(warehouse, plan, tell, lock, select=select, status="partial")
    return BuildReport("partial", plan.watermark_from, record)


def run_plan(
    warehouse: Warehouse, plan: Plan, tell: Tell, lock: int, *, status: Status, select: str | None = None
) -> BuildRecord:
    """Build what the plan says, and keep what became of it. Raises MartsError."""
    tell(_headline(plan))
    started_at = datetime.now(UTC)
    words = words_of_build(warehouse.settings, full_refresh=plan.is_full_refresh, select=select)
    result = run_dbt(warehouse.settings, words, plan, tell, lock)
    keep_results(warehouse, result, tell, is_full_refresh=plan.is_full_refresh)
    record = _record(warehouse, plan, result, started_at, status)
    insert_record(warehouse, record)
    return record


def keep_results(warehouse: Warehouse, result: DbtResult, tell: Tell, *, is_full_refresh: bool = False) -> None:
    """Keep the results of dbt. Raises MartsError where a model or a test failed."""
    try:
        record_results(warehouse, result, is_full_refresh=is_full_refresh)
    except WarehouseError as error:
        if not result.failed:
            raise
        tell(f"The results could not be kept: {error}")  # what failed is the news
    if result.failed:
        where = dbt_log(warehouse.settings)
        raise MartsError(f"dbt failed in {', '.join(result.failed)}; the marts' watermark stays (log: {where})")


def last_build(settings: Settings) -> dict[str, Any] | None:
    """The last build of all models, in JSON's types: built_at, touched_dates, watermark_to, ...; None before the first.

    Raises WarehouseError.
    """
    with Warehouse(settings) as warehouse:
        record = last_record(warehouse)
    return record.as_dict() if record else None


def create_tables(warehouse: Warehouse) -> None:
    """Create the tables of the ops dataset on this machine; Terraform makes the cloud's."""
    if warehouse.settings.is_local:
        create_ops_tables(warehouse)


def days_between(first: date, last: date) -> tuple[date, ...]:
    """Every date from the first to the last, both included. Raises MartsError where the last is before the first."""
    if last < first:
        raise MartsError(f"The dates run backwards, from {first} to {last}: exchange --from and --to.")
    return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def to_stderr(line: str) -> None:
    """Where progress goes by default."""
    sys.stderr.write(line + "\n")


def _tell_of_stale_rows(plan: Plan, tell: Tell) -> None:
    newest = plan.watermark_to or plan.watermark_from
    if newest and (warning := grade(newest, datetime.now(UTC)).warning):
        tell(f"warning: {warning}")


def _record(warehouse: Warehouse, plan: Plan, result: DbtResult, started_at: datetime, status: Status) -> BuildRecord:
    assert plan.watermark_to is not None
    assert plan.latest_answered_date is not None
    responses = warehouse.settings.table("marts", "fct_survey_responses")
    built_at = datetime.now(UTC)
    return BuildRecord(
        build_id=result.invocation_id,
        status=status,
        is_full_refresh=plan.is_full_refresh,
        started_at=started_at,
        built_at=built_at,
        build_seconds=round((built_at - started_at).total_seconds(), 3),
        watermark_from=plan.watermark_from,
        watermark_to=plan.watermark_to,
        touched_dates=plan.dates,
        latest_answered_date=plan.latest_answered_date,
        accepted_count=plan.accepted_count,
        response_count=warehouse.rows(f"select count(*) as row_count from `{responses}`")[0]["row_count"],
        model_count=result.model_count,
        test_count=result.test_count,
    )


def _headline(plan: Plan) -> str:
    if plan.is_full_refresh:
        return "Building all dates."
    return f"Building {len(plan.dates)} dates: {_spell(plan.dates)}."


def _spell(dates: tuple[date, ...]) -> str:
    days = [day.isoformat() for day in dates]
    return ", ".join(days if len(days) <= 6 else [*days[:3], "...", *days[-2:]])
