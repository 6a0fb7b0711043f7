"""Responses over time: the parameters of the query, and the points of charts from its rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from csat.bigquery.query import Rows
from csat.reporting import formats
from csat.reporting.figures import NO_RESPONSES, Tally, wilson_interval

Grain = Literal["hour", "day", "week"]
Split = Literal["", "channel", "category"]

REST = "All other categories"
_DAYS_FIT_FOR_HOURS, _DAYS_FIT_FOR_DAYS = 3, 92
_LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_MIN_MINUTES = 0.1  # a log scale has no zero


@dataclass(frozen=True)
class Parts:
    """The lines of one chart, in the order of their colours. An empty name is the total."""

    names: tuple[str, ...] = ("",)
    has_rest: bool = False


WHOLE = Parts()


@dataclass(frozen=True)
class Series:
    """Which responses over time: dates, grain of the buckets, channel and category (empty: all), and how to split them.

    Split by category, each of `named` is a part, and all others together are one.
    """

    since: date
    until: date
    grain: Grain = "day"
    channel: str = ""
    category: str = ""
    split: Split = ""
    named: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """The parameters of SERIES."""
        return {**vars(self), "named": list(self.named), "rest": REST}


def with_rates(rows: Rows) -> Rows:
    """The buckets of SERIES with their CSAT and its interval."""
    return rated(row for row in rows if row["bucket"] is not None)


def rated(rows: Iterable[dict[str, Any]]) -> Rows:
    """Rows of counts with their CSAT and its interval: csat_rate, wilson_low, wilson_high."""
    rates = ((row, _rate(row)) for row in rows)
    return [
        {**row, "csat_rate": rate["csat"], "wilson_low": rate["low"], "wilson_high": rate["high"]}
        for row, rate in rates
    ]


def rank_points(rows: Rows) -> list[dict[str, Any]]:
    """The points of the rank chart: at, end, label, rank. Dates without a rank are left out."""
    return [
        {**_position(row, "day", "leaderboard_date"), "rank": row["leaderboard_rank"]}
        for row in rows
        if row["leaderboard_rank"] is not None
    ]


def points(
    rows: Iterable[Mapping[str, Any]],
    grain: Grain = "day",
    parts: Parts = WHOLE,
    time: str = "bucket",
    until: datetime | None = None,
) -> list[dict[str, Any]]:
    """The points of the response and CSAT charts: at, end, label, part, partial, responses, total (of all parts),
    bottom, top, csat, low, high.

    The parts of a bucket are stacked, the first of `parts` at the bottom. A bucket is partial that ends after the data
    do, at `until`.
    """
    made = []
    heights: dict[Any, int] = defaultdict(int)
    for row in sorted(rows, key=lambda row: parts.names.index(row.get("part", ""))):
        bottom = heights[row[time]]
        heights[row[time]] = top = bottom + row["response_count"]
        place = {"bottom": bottom, "top": top}
        made.append((row[time], _position(row, grain, time, until) | _rate(row) | place))
    return [{**point, "total": heights[key]} for key, point in made]


def _rate(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = Tally(row["response_count"], row["satisfied_count"])
    interval = wilson_interval(counts)
    low, high = (interval.low, interval.high) if interval else (None, None)
    return {"responses": counts.responses, "csat": counts.csat_rate, "low": low, "high": high}


def time_points(rows: Iterable[Mapping[str, Any]], grain: Grain, until: datetime | None = None) -> list[dict[str, Any]]:
    """The points of the first reply time chart: at, end, label, part, partial, median, p90, and both as drawn."""
    made = []
    for row in rows:
        times = {"median": row["median_first_reply_minutes"], "p90": row["p90_first_reply_minutes"]}
        drawn = {f"{name}_drawn": None if value is None else max(value, _MIN_MINUTES) for name, value in times.items()}
        made.append({**_position(row, grain, "bucket", until), **times, **drawn})
    return made


def tally(rows: Iterable[Mapping[str, Any]]) -> Tally:
    """The responses of all rows."""
    return sum((Tally(row["response_count"], row["satisfied_count"]) for row in rows), NO_RESPONSES)


def between(rows: Rows, first: date, last: date) -> Rows:
    """The rows of the dates from the first to the last."""
    return [row for row in rows if first <= row["response_date"] <= last]


def window_start(last: date, days: int) -> date:
    """The first date of a window that ends with `last`."""
    return last - timedelta(days=days - 1)


def fitting_grain(since: date, until: date) -> Grain:
    """The default grain: hours for up to 3 days, days for up to 92, weeks for longer ranges.

    More points would be a cloud, not a line, and the days of a year show the weekly pattern instead of the trend.
    """
    days = (until - since).days + 1
    return "hour" if days <= _DAYS_FIT_FOR_HOURS else "day" if days <= _DAYS_FIT_FOR_DAYS else "week"


def bucket_label(bucket: datetime | date, grain: Grain) -> str:
    """A bucket's name: 23 Nov 2026, 14:00; 23 Nov 2026; or week of 23 Nov 2026."""
    start = _utc(bucket)
    name = formats.day(start.date())
    return {"hour": f"{name}, {start:%H:%M}", "day": name, "week": f"week of {name}"}[grain]


def chart_span(since: date, until: date, grain: Grain) -> tuple[date, date]:
    """The time axis of a range: from its first bucket to the end of its last one."""
    if grain == "week":
        since, until = since - timedelta(days=since.weekday()), until + timedelta(days=6 - until.weekday())
    return since, until + timedelta(days=1)


def _position(row: Mapping[str, Any], grain: Grain, time: str, until: datetime | None = None) -> dict[str, Any]:
    start = _utc(row[time])
    end = start + _LENGTHS[grain]
    is_partial = until is not None and end > until
    return {
        "at": start.isoformat(),
        "end": end.isoformat(),
        "label": bucket_label(row[time], grain) + (", so far" if is_partial else ""),
        "part": row.get("part", ""),
        "partial": is_partial,
    }


def _utc(value: datetime | date) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)
