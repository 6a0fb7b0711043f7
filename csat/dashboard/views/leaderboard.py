"""The columns of the agents' tables, ranked and not yet ranked."""

from collections.abc import Callable

from csat.bigquery.query import Rows
from csat.dashboard.navigation import this_view
from csat.dashboard.tables import (
    Column,
    Html,
    Row,
    drawn_interval,
    joined,
    lines,
    link,
    name,
    rate_with_interval,
    scale_header,
    scale_of,
)
from csat.reporting import formats
from csat.reporting.figures import Tally


def team(row: Row) -> Html:
    """The agent's supervisor and manager."""
    return joined(name(row["supervisor_name"]), " · ", name(row["manager_name"]))


def leaderboard_columns(shown: Rows, window: str, total: Tally, *, is_short: bool = False) -> list[Column]:
    """The columns of a leaderboard; the line in the drawn intervals is the CSAT of `total`."""
    scale = scale_of(shown, total.csat_rate)
    columns = [
        Column("Rank", _rank, sort="leaderboard_rank"),
        Column("Agent", _name(window, is_list=not is_short), is_figure=False, sort="agent_name"),
        Column("Responses", lambda row: formats.count(row["response_count"]), importance=2, sort="-response_count"),
        Column("CSAT", rate_with_interval, sort="-csat_rate"),
        Column(
            scale_header("interval", scale), lambda row: drawn_interval(row, scale, total.csat_rate), is_figure=False
        ),
        Column("DSAT", _dissatisfied, importance=2, sort="-dissatisfied_count"),
        Column("Adjusted CSAT", _adjusted, importance=2, sort="-adjusted_csat_rate"),
        Column("Tier", lambda row: formats.count(row["tier"]), importance=2, sort="tier"),
        Column("Score", lambda row: formats.score(row["average_score"]), importance=2, sort="-average_score"),
        Column("vs. expected", _versus_expected, importance=2, sort="-csat_difference"),
        Column("First reply", _first_reply, importance=2, sort="-median_first_reply_minutes"),
    ]
    return columns[:5] if is_short else columns


def unranked_columns(window: str) -> list[Column]:
    """The columns of the agents with too few responses for a rank."""
    return [
        Column("Agent", _name(window, is_list=True), is_figure=False, sort="agent_name"),
        Column("Needed", lambda row: f"{row['responses_missing']} more", sort="responses_missing"),
        Column("Responses", lambda row: formats.count(row["response_count"]), sort="-response_count"),
        Column("CSAT", rate_with_interval, sort="-csat_rate"),
        Column("Score", lambda row: formats.score(row["average_score"]), importance=2, sort="-average_score"),
    ]


def _rank(row: Row) -> Html:
    return lines(formats.count(row["leaderboard_rank"]), formats.places(row["rank_change"]))


def _dissatisfied(row: Row) -> str:
    return formats.count(row["dissatisfied_count"])


def _adjusted(row: Row) -> str:
    return formats.percent(row["adjusted_csat_rate"])


def _versus_expected(row: Row) -> Html:
    if row["csat_difference"] is None:
        return Html(formats.MISSING)
    interval = formats.points_interval(row["csat_difference_low"], row["csat_difference_high"])
    return lines(formats.points(row["csat_difference"]), interval)


def _first_reply(row: Row) -> str:
    return formats.minutes(row["median_first_reply_minutes"])


def _name(window: str, *, is_list: bool) -> Callable[[Row], Html]:
    filters = this_view if is_list else dict[str, str]  # a link of the list leads back to the same list
    return lambda row: lines(
        link(name(row["agent_name"]), "agents", **filters(agent=row["agent_id"], window=window)),
        team(row),
        narrow=f"{formats.count(row['response_count'])} responses",
    )
