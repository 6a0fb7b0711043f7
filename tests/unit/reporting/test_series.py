"""Responses over time: the default grain."""

from datetime import date, timedelta

import pytest

from csat.reporting.series import Grain, fitting_grain

LAST = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("days", "grain"), [(1, "hour"), (3, "hour"), (4, "day"), (28, "day"), (92, "day"), (93, "week"), (3_650, "week")]
)
def test_default_grain_depends_on_the_length_of_the_range(days: int, grain: Grain) -> None:
    assert fitting_grain(LAST - timedelta(days=days - 1), LAST) == grain
