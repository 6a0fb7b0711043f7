"""`csat marts reconcile`: build, compare the marts with the landing table, mend what differs, test all of it.

Builds read the last days only and test what they built. What came for older days, and whatever else went by them, is
found here, by counting everything.
"""

from dataclasses import dataclass
from datetime import date
from itertools import batched
from typing import Any, Literal

from csat.settings import Settings
from warehouse.build_lock import LOCK_WAIT_SECONDS, build_lock
from warehouse.client import Warehouse
from warehouse.dbt_build import MartsError, dbt_folder, run_dbt, words_of_tests
from warehouse.dbt_process import Tell
from warehouse.mart_builds import last_record
from warehouse.mart_differences import Difference, find_differences
from warehouse.mart_plans import MAX_DATES, Plan, plan_build, plan_everything, plan_rebuild
from warehouse.marts import create_tables, keep_results, run_plan, to_stderr

# A copy may land between two looks, and make a third one necessary.
_ATTEMPTS = 3


@dataclass(frozen=True)
class Reconciliation:
    """What was found; `repaired`: the differences are no more. Nothing built: there was nothing to compare yet."""

    status: Literal["agreed", "repaired", "nothing built"]
    differences: tuple[Difference, ...] = ()
    test_count: int = 0

    @property
    def dates(self) -> tuple[date, ...]:
        """The dates that differed."""
        return tuple(sorted({difference.answered_date for difference in self.differences}))

    def as_dict(self) -> dict[str, Any]:
        """The findings in JSON's types."""
        return {
            "status": self.status,
            "dates": [day.isoformat() for day in self.dates],
            "differences": [difference.as_dict() for difference in self.differences],
            "tests": self.test_count,
        }


def reconcile(
    settings: Settings, *, on_progress: Tell | None = None, lock_wait_seconds: float = LOCK_WAIT_SECONDS
) -> Reconciliation:
    """Make the marts agree with the landing table, and say where they did not.

    Raises MartsError where they still differ afterwards, or a test fails, and BuildLockError.
    """
    tell = on_progress or to_stderr
    with build_lock(dbt_folder(settings), tell, lock_wait_seconds) as lock, Warehouse(settings) as warehouse:
        create_tables(warehouse)
        landed = plan_everything(warehouse)  # before the build: it may see more, never less
        plan = plan_build(warehouse)
        if not plan.is_empty:
            run_plan(warehouse, plan, tell, lock, status="succeeded")
        if last_record(warehouse) is None:
            tell("Nothing is built yet: there is nothing to compare.")
            return Reconciliation("nothing built")
        differences = _repair(warehouse, landed, tell, lock)
        tests = run_dbt(settings, words_of_tests(settings), Plan(0), tell, lock)
        keep_results(warehouse, tests, tell)
    return Reconciliation("repaired" if differences else "agreed", differences, tests.test_count)


def _repair(warehouse: Warehouse, landed: Plan, tell: Tell, lock: int) -> tuple[Difference, ...]:
    """The differences that were there. Raises MartsError where building those dates again does not end them."""
    assert landed.watermark_to is not None
    assert landed.latest_answered_date is not None
    seen = (landed.watermark_to, landed.latest_answered_date)
    differences = tuple(find_differences(warehouse, *seen))
    left = differences
    for _ in range(_ATTEMPTS):
        if not left:
            return differences
        for difference in left:
            tell(_spell(difference))
        for dates in batched(sorted({difference.answered_date for difference in left}), MAX_DATES):
            run_plan(warehouse, plan_rebuild(warehouse, dates), tell, lock, status="partial")
        left = tuple(find_differences(warehouse, *seen))
    if left:
        raise MartsError(
            f"The marts still differ after {_ATTEMPTS} repairs, such as: {_spell(left[0])}. A model is wrong: "
            "mend it, then run `csat marts rebuild`."
        )
    return differences


def _spell(difference: Difference) -> str:
    found, expected = difference.found_count or 0, difference.expected_count or 0
    what = f"{found:,} answers instead of {expected:,}" if found != expected else f"other answers than the {expected:,}"
    return f"{difference.mart} has {what} of {difference.answered_date}"
