"""Comparisons with the previous period: only where the marts hold all of it, and enough responses in both periods."""

from datetime import date

from csat.bigquery.query import Rows
from csat.reporting.definitions import variables
from csat.reporting.series import window_start

NO_PREVIOUS = "no complete previous period"
TOO_FEW = "too few responses to compare"
_OF_PREVIOUS = ("previous_rank", "rank_change", "previous_response_count", "previous_csat_rate")
_CHANGES = ("csat_change", "csat_change_z")


def has_previous(window: str, first: date, last: date) -> bool:
    """Whether the marts, which begin on `first`, hold the whole period before the window that ends with `last`.

    They hold their first date in part: the responses begin at some time of that day. All time has no previous period.
    """
    days = variables().window_days.get(window)
    return days is not None and window_start(last, 2 * days) > first


def has_enough(now: int, before: int | None) -> bool:
    """Whether two periods have the responses that a comparison needs."""
    return min(now, before or 0) >= variables().minimum_comparison_responses


def comparable(rows: Rows, window: str, first: date, last: date) -> Rows:
    """Rows of a leaderboard or a ranking, without the comparisons that would mislead."""
    if not has_previous(window, first, last):
        return [_without(row, (*_OF_PREVIOUS, *_CHANGES)) for row in rows]
    return [
        row
        if "csat_change" not in row or has_enough(row["response_count"], row["previous_response_count"])
        else _without(row, _CHANGES)
        for row in rows
    ]


def _without(row: dict[str, object], columns: tuple[str, ...]) -> dict[str, object]:
    blank: dict[str, object] = {name: None for name in columns if name in row}
    return row | blank | ({"is_significant": False} if "is_significant" in row else {})
