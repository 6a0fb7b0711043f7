"""`csat marts reconcile`: build, compare the marts with the landing table, fix the differences, test all rows.

Builds read the last days only and test what they built. Reconciliation counts everything, and so finds rows for older
days and anything else that builds missed.
"""

from dataclasses import dataclass
from datetime import date
from itertools import batched
from typing import Any, Literal

from csat.bigquery.erasures import erase_copies
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.marts.build import run_plan, store_results, to_stderr
from csat.marts.build_lock import LOCK_WAIT_SECONDS
from csat.marts.builds import last_record
from csat.marts.dbt_process import Progress
from csat.marts.differences import Difference, find_differences
from csat.marts.exclusive import ExclusiveBuild, exclusive_build
from csat.marts.manifest import reconciled_marts
from csat.marts.plans import MAX_DATES, Plan, plan_build, plan_everything, plan_rebuild
from csat.marts.run_dbt import data_test_arguments, parse_project, run_dbt

# A duplicate may land between two comparisons, and make a third one necessary.
_ATTEMPTS = 3


@dataclass(frozen=True)
class Reconciliation:
    """The differences found; `repaired`: they were fixed. `nothing built`: there was nothing to compare yet."""

    status: Literal["agreed", "repaired", "nothing built"]
    differences: tuple[Difference, ...] = ()
    test_count: int = 0

    @property
    def dates(self) -> tuple[date, ...]:
        """The dates that differed."""
        return tuple(sorted({difference.response_date for difference in self.differences}))

    def as_dict(self) -> dict[str, Any]:
        """The findings in JSON's types."""
        return {
            "status": self.status,
            "dates": [day.isoformat() for day in self.dates],
            "differences": [difference.as_dict() for difference in self.differences],
            "tests": self.test_count,
        }


def reconcile(
    settings: Settings, *, on_progress: Progress | None = None, lock_wait_seconds: float = LOCK_WAIT_SECONDS
) -> Reconciliation:
    """Make the marts agree with the landing table, and return the differences.

    Raises CsatError if they still differ afterwards, a test fails, or another build does not end in time.
    """
    with exclusive_build(settings, on_progress or to_stderr, lock_wait_seconds) as exclusive:
        warehouse = exclusive.warehouse
        erase_copies(warehouse)  # builds erase those among the new rows
        landed = plan_everything(warehouse)  # before the build, which may see more rows, never fewer
        plan = plan_build(warehouse)
        if not plan.is_empty:
            run_plan(exclusive, plan, status="succeeded")
        if landed.is_empty or last_record(warehouse) is None:
            exclusive.progress("Nothing has been built yet: there is nothing to compare.")
            return Reconciliation("nothing built")
        differences = _repair(exclusive, landed)
        tests = run_dbt(settings, data_test_arguments(settings), Plan(0), exclusive.progress, exclusive.lock)
        store_results(warehouse, tests, exclusive.progress)
    return Reconciliation("repaired" if differences else "agreed", differences, tests.test_count)


def _repair(exclusive: ExclusiveBuild, landed: Plan) -> tuple[Difference, ...]:
    """The differences before the repair. Raises CsatError if rebuilding their dates does not fix them."""
    assert landed.read_until is not None
    assert landed.latest_response_date is not None
    warehouse = exclusive.warehouse
    marts = reconciled_marts(parse_project(warehouse.settings, exclusive.lock))
    seen = (marts, landed.read_until, landed.latest_response_date)
    differences = tuple(find_differences(warehouse, *seen))
    remaining = differences
    for _ in range(_ATTEMPTS):
        if not remaining:
            return differences
        for difference in remaining:
            exclusive.progress(_describe(difference))
        for dates in batched(sorted({difference.response_date for difference in remaining}), MAX_DATES):
            run_plan(exclusive, plan_rebuild(warehouse, dates), status="partial")
        remaining = tuple(find_differences(warehouse, *seen))
    if remaining:
        raise CsatError(
            f"The marts still differ after {_ATTEMPTS} repairs, such as: {_describe(remaining[0])}. A model is wrong",
            "correct it, then run `csat marts rebuild`.",
        )
    return differences


def _describe(difference: Difference) -> str:
    found, expected = difference.found_count or 0, difference.expected_count or 0
    what = (
        f"{found:,} responses instead of {expected:,}"
        if found != expected
        else f"{expected:,} responses, but not the same ones,"
    )
    return f"{difference.mart} has {what} on {difference.response_date}"
