"""Rows lose the comparisons that would mislead."""

from datetime import date
from typing import Any

from csat.reporting.comparison import comparable, has_previous

LAST = date(2026, 11, 28)


def ranking(responses: int, before: int | None) -> dict[str, Any]:
    return {
        "response_count": responses,
        "previous_response_count": before,
        "previous_csat_rate": 0.4,
        "csat_change": 0.594,
        "csat_change_z": 9.0,
        "is_significant": True,
    }


def test_the_previous_period_begins_after_the_first_date_of_the_marts() -> None:
    assert has_previous("7d", date(2026, 11, 14), LAST)  # 15 to 21 November
    assert not has_previous("7d", date(2026, 11, 15), LAST)
    assert not has_previous("all", date(2020, 1, 1), LAST)


def test_nothing_of_an_incomplete_period_is_left() -> None:
    [row] = comparable([ranking(500, 300)], "28d", date(2026, 10, 28), LAST)
    assert row == dict.fromkeys(row) | {"response_count": 500, "is_significant": False}
    [agent] = comparable([{"previous_rank": 4, "rank_change": 3}], "28d", date(2026, 10, 28), LAST)
    assert agent == {"previous_rank": None, "rank_change": None}


def test_a_change_needs_enough_responses_in_both_periods() -> None:
    rows = [ranking(100, 100), ranking(99, 100), ranking(100, 99), ranking(100, None)]
    found = comparable(rows, "7d", date(2026, 1, 1), LAST)
    assert [row["csat_change"] for row in found] == [0.594, None, None, None]
    assert [row["is_significant"] for row in found] == [True, False, False, False]
    assert found[1]["previous_response_count"] == 100
