"""Tables of the marts for people, with the dashboard's formats and columns; JSON has every column."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from rich.table import Table

from csat.cli.render import text_table
from csat.reporting import formats
from csat.reporting.series import Grain, bucket_label

Rows = Sequence[Mapping[str, Any]]


def agents_table(rows: Rows) -> Table:
    """A leaderboard."""
    heads = ("rank", "", "agent", "responses", "CSAT", "95 % interval", "adjusted CSAT", "tier")
    lines = (
        (
            formats.count(row["leaderboard_rank"]) if row["is_ranked"] else f"{row['responses_missing']} more",
            formats.places(row["rank_change"]),
            row["agent_name"],
            formats.count(row["response_count"]),
            formats.percent(row["csat_rate"]),
            formats.interval(row["wilson_low"], row["wilson_high"]),
            formats.percent(row["adjusted_csat_rate"]),
            formats.count(row["tier"]),
        )
        for row in rows
    )
    return text_table(f"agents{_period(rows)}", heads, lines, names=("agent",))


def categories_table(rows: Rows) -> Table:
    """A ranking of categories, or of sub-categories."""
    heads = ("category", "responses", "share", "CSAT", "change", "", "DSAT")
    lines = (
        (
            " / ".join(name for name in (row["category"], row["sub_category"]) if name),
            formats.count(row["response_count"]),
            formats.percent(row["share"]),
            formats.percent(row["csat_rate"]),
            formats.points(row["csat_change"]),
            "significant" if row["is_significant"] else "",
            formats.count(row["dissatisfied_count"]),
        )
        for row in rows
    )
    return text_table(f"categories{_period(rows)}", heads, lines, names=("category", ""))


def series_table(rows: Rows, grain: str) -> Table:
    """Responses over time, one line per bucket."""
    head = "week of" if grain == "week" else grain
    heads = (head, "responses", "CSAT", "95 % interval", "median first reply", "p90")
    lines = (
        (
            bucket_label(row["bucket"], cast("Grain", grain)).removeprefix("week of "),
            formats.count(row["response_count"]),
            formats.percent(row["csat_rate"]),
            formats.interval(row["wilson_low"], row["wilson_high"]),
            formats.minutes(row["median_first_reply_minutes"]),
            formats.minutes(row["p90_first_reply_minutes"]),
        )
        for row in rows
    )
    return text_table("responses over time (UTC)", heads, lines, names=(head,))


def _period(rows: Rows) -> str:
    if not rows:
        return ""
    return f", {formats.day(rows[0]['window_start'])} to {formats.day(rows[0]['window_end'])}"
