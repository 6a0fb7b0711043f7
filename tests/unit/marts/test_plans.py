"""The plan of a build, from the landing table and the record of the last build."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from csat.contract.settings import Settings
from csat.marts.plans import MAX_DATES, plan_build, plan_rebuild

SETTINGS = Settings(marts_look_back_days=10, _env_file=None)
LAST = {
    "build_id": "b1",
    "status": "succeeded",
    "is_full_refresh": True,
    "started_at": datetime(2026, 11, 10, 12, 1, tzinfo=UTC),
    "built_at": datetime(2026, 11, 10, 12, 2, tzinfo=UTC),
    "build_seconds": 60.0,
    "watermark_from": None,
    "watermark_to": datetime(2026, 11, 10, 12, 0, tzinfo=UTC),
    "touched_dates": [],
    "latest_response_date": date(2026, 11, 10),
    "accepted_count": 100,
    "response_count": 100,
    "model_count": 11,
    "test_count": 40,
}


class FakeWarehouse:
    """Answers each query by its text, and records the parameters."""

    def __init__(self, *, accepted: int, last: dict[str, Any] | None = LAST, touched: list[date] | None = None) -> None:
        self.settings = SETTINGS
        self.accepted, self.last, self.touched = accepted, last, touched or []
        self.parameters: dict[str, Any] = {}

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        self.parameters |= parameters
        if "mart_builds" in sql:
            return [self.last] if self.last else []
        if "countif" in sql:
            return [{"accepted_count": self.accepted}]
        if "watermark_to" in sql:
            watermark = datetime(2026, 11, 12, 8, 0, tzinfo=UTC) if self.accepted else None
            latest = date(2026, 11, 12) if self.accepted else None
            return [{"watermark_to": watermark, "latest_response_date": latest}]
        return [{"response_date": day} for day in self.touched]


def plan(fake: Any, **options: bool) -> Any:
    return plan_build(fake, **options)  # it only calls rows


def test_first_plan_is_a_full_refresh() -> None:
    planned = plan(FakeWarehouse(accepted=3, last=None))
    assert planned.is_full_refresh
    assert (planned.watermark_from, planned.earliest_date) == (None, None)


def test_plan_is_empty_for_an_empty_landing_table() -> None:
    assert plan(FakeWarehouse(accepted=0, last=None)).is_empty


def test_plan_is_empty_without_a_new_accepted_row() -> None:
    assert plan(FakeWarehouse(accepted=100, touched=[date(2026, 11, 10)])).is_empty


def test_plan_has_the_touched_dates_and_the_previous_latest_one() -> None:
    planned = plan(FakeWarehouse(accepted=102, touched=[date(2026, 11, 12), date(2026, 11, 1)]))
    assert planned.dates == (date(2026, 11, 1), date(2026, 11, 10), date(2026, 11, 12))
    assert not planned.is_full_refresh


def test_plan_looks_back_five_minutes_and_no_further_than_the_new_watermark() -> None:
    fake = FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)])
    plan(fake)
    assert fake.parameters["since"] == datetime(2026, 11, 10, 11, 55, tzinfo=UTC)
    assert fake.parameters["until"] == datetime(2026, 11, 12, 8, 0, tzinfo=UTC)


def test_plan_reads_the_responses_of_the_last_days_only() -> None:
    fake = FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)])
    assert plan(fake).earliest_date == date(2026, 10, 31)
    assert fake.parameters["earliest"] == datetime(2026, 10, 31, tzinfo=UTC)


def test_plan_leaves_older_responses_to_the_reconciliation() -> None:
    assert plan(FakeWarehouse(accepted=102, touched=[])).is_empty


def test_plan_is_a_full_refresh_on_request() -> None:
    planned = plan(FakeWarehouse(accepted=100), full_refresh=True)
    assert planned.is_full_refresh
    assert planned.watermark_from == datetime(2026, 11, 10, 12, 0, tzinfo=UTC)


def test_plan_is_a_full_refresh_of_everything_for_too_many_touched_dates() -> None:
    touched = [date.fromordinal(700_000 + day) for day in range(MAX_DATES + 1)]
    planned = plan(FakeWarehouse(accepted=102, touched=touched))
    assert planned.is_full_refresh
    assert (planned.dates, planned.earliest_date) == ((), None)


def test_rebuild_takes_its_dates_and_reads_all_responses() -> None:
    fake: Any = FakeWarehouse(accepted=100)
    planned = plan_rebuild(fake, (date(2026, 11, 2), date(2026, 11, 1)))
    assert planned.dates == (date(2026, 11, 1), date(2026, 11, 2))
    assert (planned.is_full_refresh, planned.earliest_date) == (False, None)


@pytest.mark.parametrize(("count", "is_full_refresh"), [(MAX_DATES, False), (MAX_DATES + 1, True)])
def test_rebuild_of_too_many_dates_is_a_full_refresh(count: int, is_full_refresh: bool) -> None:
    fake: Any = FakeWarehouse(accepted=100)
    planned = plan_rebuild(fake, tuple(date.fromordinal(700_000 + day) for day in range(count)))
    assert planned.is_full_refresh is is_full_refresh
