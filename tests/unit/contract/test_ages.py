"""The age of a time, by clocks that may be wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from csat.contract.ages import age

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(9000, timedelta(hours=2.5)), (0, timedelta(0)), (-60, timedelta(minutes=-1)), (-61, timedelta.max)],
)
def test_a_time_of_the_future_was_for_ever_ago(seconds: int, expected: timedelta) -> None:
    assert age(NOON - timedelta(seconds=seconds), NOON) == expected


def test_a_limit_of_its_own_holds_on_both_sides() -> None:
    limit = timedelta(seconds=20)
    assert age(NOON + limit, NOON, limit) == -limit
    assert age(NOON + limit + timedelta(seconds=1), NOON, limit) == timedelta.max
