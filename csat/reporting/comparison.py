"""Comparisons with the previous period: only where the marts hold all of it, and enough responses in both periods.

The marts leave all others empty. This is for figures that no mart has, and for what is said of the comparisons.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from csat.reporting.definitions import variables
from csat.reporting.series import window_start

NO_PREVIOUS = "no complete previous period"
TOO_FEW = "too few responses to compare"


def has_previous(window: str, first: date, last: date) -> bool:
    """Whether the marts, which begin on `first`, hold the whole period before the window that ends with `last`.

    They hold their first date in part: the responses begin at some time of that day. All time has no previous period.
    """
    days = variables().window_days.get(window)
    return days is not None and window_start(last, 2 * days) > first


def has_enough(now: int, before: int | None) -> bool:
    """Whether two periods have the responses that a comparison needs."""
    return min(now, before or 0) >= variables().minimum_comparison_responses


def verdict(is_significant: bool | None) -> str:
    """The word for a change."""
    if is_significant is None:
        return "not testable"
    return "significant" if is_significant else "not significant"


def by_chance(rows: Iterable[Mapping[str, Any]]) -> str:
    """How many of the changes that can be tested chance alone would make significant, in a sentence."""
    tested = sum(row["is_significant"] is not None for row in rows)
    expected = tested * variables().chance
    return f"Of {tested} changes that can be tested, about {expected:.1f} would look significant by chance alone."
