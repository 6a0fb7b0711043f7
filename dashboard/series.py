"""Answers over time: what to ask for, and the rows made into the points of a chart."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from dashboard import formats
from dashboard.figures import NO_ANSWERS, Tally, wilson_interval
from dashboard.queries import Rows

Grain = Literal["hour", "day", "week"]
Split = Literal["", "channel", "category"]

REST = "All other categories"
_DAYS_FIT_FOR_HOURS, _DAYS_FIT_FOR_DAYS = 3, 92
_LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_LEAST_MINUTES = 0.1  # a logarithm has no zero


@dataclass(frozen=True)
class Parts:
    """The lines of one chart, in the order of their colours. One without a name is the whole."""

    names: tuple[str, ...] = ("",)
    has_rest: bool = False


WHOLE = Parts()


@dataclass(frozen=True)
class Series:
    """Which answers over time: in buckets of a grain, of some dates, of one channel or category or all, in parts.

    With the split by category, those `named` are parts and the others one together.
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
    made = []
    for row in rows:
        if row["bucket"] is None:
            continue
        answers = Tally(row["answer_count"], row["satisfied_count"])
        interval = wilson_interval(answers)
        made.append(
            {
                **row,
                "csat_rate": answers.csat_rate,
                "wilson_low": interval.low if interval else None,
                "wilson_high": interval.high if interval else None,
            }
        )
    return made


def rank_points(rows: Rows) -> list[dict[str, Any]]:
    """What the chart of ranks draws: at, end, label, rank; nothing where the agent had none."""
    return [
        {**_place(row, "day", "leaderboard_date"), "rank": row["leaderboard_rank"]}
        for row in rows
        if row["leaderboard_rank"] is not None
    ]


def points(
    rows: Iterable[Mapping[str, Any]], grain: Grain = "day", parts: Parts = WHOLE, time: str = "bucket"
) -> list[dict[str, Any]]:
    """What the charts of answers and CSAT draw: at, end, label, part, answers, bottom, top, csat, low, high.

    The parts of a bucket stand on each other, the first of `parts` lowest.
    """
    made = []
    heights: dict[Any, int] = defaultdict(int)
    for row in sorted(rows, key=lambda row: parts.names.index(row.get("part", ""))):
        answers = Tally(row["answer_count"], row["satisfied_count"])
        interval = wilson_interval(answers)
        bottom = heights[row[time]]
        heights[row[time]] = top = bottom + answers.answers
        made.append(
            {
                **_place(row, grain, time),
                "answers": answers.answers,
                "bottom": bottom,
                "top": top,
                "csat": answers.csat_rate,
                "low": interval.low if interval else None,
                "high": interval.high if interval else None,
            }
        )
    return made


def time_points(rows: Iterable[Mapping[str, Any]], grain: Grain) -> list[dict[str, Any]]:
    """What the chart of response times draws: at, end, label, part, median, p90, and both as drawn."""
    made = []
    for row in rows:
        times = {"median": row["median_response_minutes"], "p90": row["p90_response_minutes"]}
        drawn = {
            f"{name}_drawn": None if value is None else max(value, _LEAST_MINUTES) for name, value in times.items()
        }
        made.append({**_place(row, grain, "bucket"), **times, **drawn})
    return made


def tally(rows: Iterable[Mapping[str, Any]]) -> Tally:
    """The answers of all rows."""
    return sum((Tally(row["answer_count"], row["satisfied_count"]) for row in rows), NO_ANSWERS)


def between(rows: Rows, first: date, last: date) -> Rows:
    """The rows of the dates from the first to the last."""
    return [row for row in rows if first <= row["answered_date"] <= last]


def window_start(last: date, days: int) -> date:
    """The first date of a window that ends with `last`."""
    return last - timedelta(days=days - 1)


def fitting_grain(since: date, until: date) -> Grain:
    """The grain for a viewer who chose none: at most 72 hours, at most 92 days, else weeks.

    More points are a cloud, not a line, and days of a year show the week's rhythm before its trend.
    """
    days = (until - since).days + 1
    return "hour" if days <= _DAYS_FIT_FOR_HOURS else "day" if days <= _DAYS_FIT_FOR_DAYS else "week"


def bucket_label(bucket: datetime | date, grain: Grain) -> str:
    """A bucket's name: 23 Nov 2026, 14:00; 23 Nov 2026; or week of 23 Nov 2026."""
    begin = _moment(bucket)
    name = formats.day(begin.date())
    return {"hour": f"{name}, {begin:%H:%M}", "day": name, "week": f"week of {name}"}[grain]


def _place(row: Mapping[str, Any], grain: Grain, time: str) -> dict[str, Any]:
    begin = _moment(row[time])
    return {
        "at": begin.isoformat(),
        "end": (begin + _LENGTHS[grain]).isoformat(),
        "label": bucket_label(row[time], grain),
        "part": row.get("part", ""),
    }


def _moment(value: datetime | date) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)
