"""The axes of charts: ticks at the buckets that there are, and scales that few responses do not stretch."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from csat.reporting.definitions import variables

Domain = tuple[float, float]
Points = Sequence[Mapping[str, Any]]

_MAX_TICKS = 8
_FEW = 5  # a chart of fewer responses has this height, so that one response does not fill it
_MARGIN = 0.01  # beyond the rates


def ticks(points: Points) -> list[dict[str, Any]]:
    """Starts of the buckets, evenly chosen: the browser's own would name a day that has not begun, or Sundays."""
    starts = sorted({point["at"] for point in points})
    return [_moment(datetime.fromisoformat(start)) for start in starts[:: 1 + len(starts) // _MAX_TICKS]]


def vega_date(day: date) -> dict[str, Any]:
    """Midnight UTC as Vega-Lite writes it."""
    return {"year": day.year, "month": day.month, "date": day.day, "hours": 0, "utc": True}


def _moment(start: datetime) -> dict[str, Any]:
    return vega_date(start.date()) | {"hours": start.hour}


def count_domain(points: Points) -> Domain | None:
    """The scale of counts where there are few; None where the browser's own fits."""
    return None if max((point["top"] for point in points), default=0) >= _FEW else (0, _FEW)


def rate_domain(points: Points, low: str, high: str) -> Domain | None:
    """The scale of rates, from the points with as many responses as a rank needs; None where there are none.

    `low` and `high` name the lowest and the highest value of a point.
    """
    sure = [point for point in points if point["responses"] >= variables().minimum_responses]
    if not sure:
        return None
    lowest, highest = min(point[low] for point in sure), max(point[high] for point in sure)
    return max(0.0, lowest - _MARGIN), min(1.0, highest + _MARGIN)


def outside(points: Points, domain: Domain | None) -> int:
    """How many points have a rate outside the scale."""
    return 0 if domain is None else sum(not domain[0] <= point["csat"] <= domain[1] for point in points)
