"""`csat marts build`: dbt over the dates that new rows touched, one build at a time.

Only success moves the watermark: whatever step a build dies at, the next one does the same dates again.
"""

import fcntl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from csat.settings import Settings
from warehouse.client import Warehouse
from warehouse.dbt_build import DbtResult, MartsError, command, dbt_folder, dbt_variables, run_dbt
from warehouse.mart_builds import BuildRecord, Plan, insert_record, last_record, plan_build
from warehouse.tables import create_ops_tables

__all__ = ["BuildReport", "MartsError", "build", "last_build"]

LOCK_WAIT_SECONDS = 600.0


@dataclass(frozen=True)
class BuildReport:
    """What a build did; no record where there was nothing new."""

    status: Literal["succeeded", "partial", "nothing new"]
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
    on_progress: Callable[[str], None] | None = None,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
) -> BuildReport:
    """Bring the marts up to the landing table. `select` takes dbt's words; a part of the marts moves no watermark.

    Raises MartsError where a model or a test fails, and where another build does not end in time.
    """
    tell = on_progress or _to_stderr
    with _lock(settings, lock_wait_seconds, tell) as lock, Warehouse(settings) as warehouse:
        if settings.is_local:
            create_ops_tables(warehouse)
        plan = plan_build(warehouse, full_refresh=full_refresh)
        if plan.is_empty:
            tell("Nothing new in the landing table.")
            return BuildReport("nothing new", plan.watermark_from)
        tell(_headline(plan))
        started_at = datetime.now(UTC)
        result = run_dbt(
            command(settings, full_refresh=plan.is_full_refresh, select=select),
            dbt_variables(settings, plan.dates, plan.latest_answered_date),
            dbt_folder(settings),
            tell,
            lock,
        )
        status: Literal["succeeded", "partial"] = "partial" if select else "succeeded"
        record = _record(warehouse, plan, result, started_at, status)
        insert_record(warehouse, record)
    return BuildReport(status, plan.watermark_from if select else plan.watermark_to, record)


def last_build(settings: Settings) -> dict[str, Any] | None:
    """The last build of all models, in JSON's types: built_at, touched_dates, watermark_to, ...; None before the first.

    Raises WarehouseError.
    """
    with Warehouse(settings) as warehouse:
        record = last_record(warehouse)
    return record.as_dict() if record else None


def _record(
    warehouse: Warehouse, plan: Plan, result: DbtResult, started_at: datetime, status: Literal["succeeded", "partial"]
) -> BuildRecord:
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


@contextmanager
def _lock(settings: Settings, wait_seconds: float, tell: Callable[[str], None]) -> Iterator[int]:
    folder = dbt_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    with (folder / "build.lock").open("w") as file:
        is_told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise MartsError(
                        f"Another build of the marts still runs after {wait_seconds:g} s (lock: {file.name})."
                    ) from None
                if not is_told:
                    tell("Waiting for another build of the marts to end.")
                is_told = True
                time.sleep(0.2)
        yield file.fileno()


def _headline(plan: Plan) -> str:
    if plan.is_full_refresh:
        return "Building all dates."
    return f"Building {len(plan.dates)} dates: {_spell(plan.dates)}."


def _spell(dates: tuple[date, ...]) -> str:
    days = [day.isoformat() for day in dates]
    return ", ".join(days if len(days) <= 6 else [*days[:3], "...", *days[-2:]])


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
