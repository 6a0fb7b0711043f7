"""`csat marts build` and `csat marts rebuild`: run dbt for the dates to build, one build at a time.

Only a successful build is published and moves the watermark: wherever a build fails, the next one repeats its dates.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from csat.bigquery.client import Warehouse, WarehouseError
from csat.bigquery.query import Query
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.marts.build_lock import LOCK_WAIT_SECONDS
from csat.marts.builds import BuildRecord, last_record
from csat.marts.dbt_process import Progress
from csat.marts.exclusive import ExclusiveBuild, exclusive_build
from csat.marts.found_rows import with_found_rows
from csat.marts.freshness import grade
from csat.marts.manifest import candidate_tables, read_manifest
from csat.marts.plans import Plan, plan_build, plan_everything, plan_rebuild
from csat.marts.publish import publish
from csat.marts.results import DbtResult, record_results
from csat.marts.run_dbt import build_arguments, data_test_arguments, dbt_log, dbt_target, run_dbt

__all__ = ["BuildReport", "build", "last_build", "publish_candidate", "rebuild"]

Status = Literal["succeeded", "partial"]
_RESPONSES = Query.read(__file__, "response_count")
_NOTHING = "Nothing new in the landing table."


@dataclass(frozen=True)
class BuildReport:
    """The result of a build; no record where there was nothing to build."""

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
    on_progress: Progress | None = None,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
) -> BuildReport:
    """Bring the marts up to date with the landing table. `select` is dbt's --select; such a build moves no watermark.

    Raises CsatError if a model or a test fails, or another build does not end in time.
    """
    with exclusive_build(settings, on_progress or to_stderr, lock_wait_seconds) as exclusive:
        plan = plan_build(exclusive.warehouse, full_refresh=full_refresh)
        _report_stale_rows(plan, exclusive.progress)
        if plan.is_empty:
            exclusive.progress(_NOTHING)
            return BuildReport("nothing new", plan.watermark_from)
        record = run_plan(exclusive, plan, select=select, status="partial" if select else "succeeded")
    return BuildReport(record.status, plan.watermark_from if select else plan.watermark_to, record)


def rebuild(
    settings: Settings,
    *,
    dates: tuple[date, date] | None = None,
    select: str | None = None,
    on_progress: Progress | None = None,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
) -> BuildReport:
    """Rebuild, even without new data: the dates from the first to the last, or all of them.

    Raises CsatError as `build` does.
    """
    if dates is None:
        return build(
            settings, full_refresh=True, select=select, on_progress=on_progress, lock_wait_seconds=lock_wait_seconds
        )
    with exclusive_build(settings, on_progress or to_stderr, lock_wait_seconds) as exclusive:
        plan = plan_rebuild(exclusive.warehouse, days_between(*dates))
        if plan.is_empty:
            exclusive.progress(_NOTHING)
            return BuildReport("nothing new", None)
        record = run_plan(exclusive, plan, select=select, status="partial")
    return BuildReport("partial", plan.watermark_from, record)


def publish_candidate(
    settings: Settings, *, on_progress: Progress | None = None, lock_wait_seconds: float = LOCK_WAIT_SECONDS
) -> BuildReport:
    """Test all rows of the candidate, which dbt built when it was run manually, and publish them; moves no watermark.

    Raises CsatError as `build` does.
    """
    with exclusive_build(settings, on_progress or to_stderr, lock_wait_seconds) as exclusive:
        plan = plan_everything(exclusive.warehouse)
        if plan.is_empty:
            exclusive.progress(_NOTHING)
            return BuildReport("nothing new", None)
        started_at = datetime.now(UTC)
        result = run_dbt(settings, data_test_arguments(settings), Plan(0), exclusive.progress, exclusive.lock)
        record = _publish(exclusive, plan, result, started_at, "partial", is_all=True)
    return BuildReport("partial", None, record)


def run_plan(exclusive: ExclusiveBuild, plan: Plan, *, status: Status, select: str | None = None) -> BuildRecord:
    """Build the dates of the plan, store the results, and publish what passed. Raises CsatError."""
    exclusive.progress(_headline(plan))
    started_at = datetime.now(UTC)
    settings = exclusive.warehouse.settings
    arguments = build_arguments(settings, full_refresh=plan.is_full_refresh, select=select)
    result = run_dbt(settings, arguments, plan, exclusive.progress, exclusive.lock)
    if select and not result.nodes:
        raise CsatError(f"no model matches --select {select!r}", "name models as dbt/models has them")
    return _publish(exclusive, plan, result, started_at, status)


def _publish(
    exclusive: ExclusiveBuild,
    plan: Plan,
    result: DbtResult,
    started_at: datetime,
    status: Status,
    *,
    is_all: bool = False,
) -> BuildRecord:
    """Publish the models of this run, or all, where no test failed. Raises CsatError."""
    warehouse = exclusive.warehouse
    store_results(warehouse, result, exclusive.progress, is_full_refresh=plan.is_full_refresh)
    record = _record(warehouse, plan, result, started_at, status)
    models = None if is_all else {node.name for node in result.nodes if not node.is_test}
    tables = candidate_tables(read_manifest(dbt_target(warehouse.settings)), models)
    publish(warehouse, tables, record, exclusive.lease)
    return record


def store_results(
    warehouse: Warehouse, result: DbtResult, progress: Progress, *, is_full_refresh: bool = False
) -> None:
    """Store the results of dbt. Raises CsatError if a model or a test failed."""
    try:
        result = with_found_rows(warehouse, result, progress)
        record_results(warehouse, result, is_full_refresh=is_full_refresh)
    except WarehouseError as error:
        if not result.failed:
            raise
        progress(f"The results could not be stored: {error}")  # the failure of dbt matters more
    if result.failed:
        where = dbt_log(warehouse.settings)
        raise CsatError(f"dbt failed in {', '.join(result.failed)}; readers still see the build before (log: {where})")


def last_build(settings: Settings) -> dict[str, Any] | None:
    """The last build of all models, in JSON's types: built_at, touched_dates, watermark_to, ...; None before the first.

    Raises WarehouseError.
    """
    with Warehouse(settings) as warehouse:
        record = last_record(warehouse)
    return record.as_dict() if record else None


def days_between(first: date, last: date) -> tuple[date, ...]:
    """Every date from the first to the last, both included. Raises CsatError if the last is before the first."""
    if last < first:
        raise CsatError(f"--from {first} is after --to {last}", "swap them.")
    return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def to_stderr(line: str) -> None:
    """Write a progress line: the default output of builds."""
    sys.stderr.write(line + "\n")


def _report_stale_rows(plan: Plan, progress: Progress) -> None:
    newest = plan.watermark_to or plan.watermark_from
    if newest and (warning := grade(newest, datetime.now(UTC)).warning):
        progress(f"warning: {warning}")


def _record(warehouse: Warehouse, plan: Plan, result: DbtResult, started_at: datetime, status: Status) -> BuildRecord:
    assert plan.watermark_to is not None
    assert plan.latest_response_date is not None
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
        latest_response_date=plan.latest_response_date,
        accepted_count=plan.accepted_count,
        response_count=_RESPONSES.rows(warehouse)[0]["response_count"],
        model_count=result.model_count,
        test_count=result.test_count,
    )


def _headline(plan: Plan) -> str:
    if plan.is_full_refresh:
        return "Building all dates."
    return f"Building {len(plan.dates)} dates: {_describe(plan.dates)}."


def _describe(dates: tuple[date, ...]) -> str:
    days = [day.isoformat() for day in dates]
    return ", ".join(days if len(days) <= 6 else [*days[:3], "...", *days[-2:]])
