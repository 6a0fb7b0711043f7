"""What a build plans, from what the landing table and the last record say."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from csat.settings import Settings
from warehouse.mart_builds import MAX_TOUCHED_DATES, plan_build

SETTINGS = Settings(_env_file=None)
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
    "latest_answered_date": date(2026, 11, 10),
    "accepted_count": 100,
    "response_count": 100,
    "model_count": 11,
    "test_count": 40,
}


class FakeWarehouse:
    """Answers each query by what it asks for, and remembers the parameters."""

    def __init__(self, *, accepted: int, last: dict[str, Any] | None = LAST, touched: list[date] | None = None) -> None:
        self.settings = SETTINGS
        self.accepted, self.last, self.touched = accepted, last, touched or []
        self.parameters: dict[str, Any] = {}

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        self.parameters |= parameters
        if "mart_builds" in sql:
            return [self.last] if self.last else []
        if "countif" in sql:
            watermark = datetime(2026, 11, 12, 8, 0, tzinfo=UTC) if self.accepted else None
            latest = date(2026, 11, 12) if self.accepted else None
            return [{"accepted_count": self.accepted, "watermark_to": watermark, "latest_answered_date": latest}]
        return [{"answered_date": day} for day in self.touched]


def plan(fake: FakeWarehouse, **options: bool) -> Any:
    return plan_build(fake, **options)  # type: ignore[arg-type]  # it only asks for rows


def test_plan_is_a_full_refresh_when_nothing_was_built_yet() -> None:
    planned = plan(FakeWarehouse(accepted=3, last=None))
    assert planned.is_full_refresh
    assert planned.watermark_from is None


def test_plan_is_empty_when_the_landing_table_is() -> None:
    assert plan(FakeWarehouse(accepted=0, last=None)).is_empty


def test_plan_is_empty_when_no_accepted_row_came() -> None:
    assert plan(FakeWarehouse(accepted=100, touched=[date(2026, 11, 10)])).is_empty


def test_plan_has_the_touched_dates_and_the_former_latest_one() -> None:
    planned = plan(FakeWarehouse(accepted=102, touched=[date(2026, 11, 12), date(2026, 11, 1)]))
    assert planned.dates == (date(2026, 11, 1), date(2026, 11, 10), date(2026, 11, 12))
    assert not planned.is_full_refresh


def test_plan_looks_back_five_minutes_and_no_further_than_the_new_watermark() -> None:
    fake = FakeWarehouse(accepted=102, touched=[date(2026, 11, 12)])
    plan(fake)
    assert fake.parameters == {
        "since": datetime(2026, 11, 10, 11, 55, tzinfo=UTC),
        "until": datetime(2026, 11, 12, 8, 0, tzinfo=UTC),
    }


def test_plan_is_a_full_refresh_when_asked_for() -> None:
    assert plan(FakeWarehouse(accepted=100), full_refresh=True).is_full_refresh


@pytest.mark.parametrize(
    "touched",
    [
        pytest.param([], id="the new rows look older than the watermark"),
        pytest.param([date.fromordinal(700_000 + day) for day in range(MAX_TOUCHED_DATES + 1)], id="too many dates"),
    ],
)
def test_plan_is_a_full_refresh_when_the_dates_do_not_tell(touched: list[date]) -> None:
    planned = plan(FakeWarehouse(accepted=102, touched=touched))
    assert planned.is_full_refresh
    assert planned.dates == ()
