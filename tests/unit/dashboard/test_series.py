"""Answers over time: the grain of a range."""

from datetime import date, timedelta

import pytest

from dashboard.series import Grain, fitting_grain

LAST = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("days", "grain"), [(1, "hour"), (3, "hour"), (4, "day"), (28, "day"), (92, "day"), (93, "week"), (3_650, "week")]
)
def test_a_range_without_a_chosen_grain_gets_one_that_fits(days: int, grain: Grain) -> None:
    assert fitting_grain(LAST - timedelta(days=days - 1), LAST) == grain
