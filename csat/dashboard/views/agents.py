"""Agents: the leaderboard with intervals, and one agent's own page."""

from collections.abc import Callable, Mapping

import streamlit as st

from csat.bigquery.query import Rows
from csat.contract.names import canonical_name
from csat.dashboard.controls import choice, download, window_filter, window_name
from csat.dashboard.frame import Page, Snapshot
from csat.dashboard.navigation import this_view
from csat.dashboard.source import bind
from csat.dashboard.tables import (
    Column,
    Html,
    Row,
    drawn_interval,
    joined,
    lines,
    link,
    name,
    note,
    rate_with_interval,
    scale_header,
    scale_of,
    table,
)
from csat.dashboard.views import agent
from csat.reporting import formats, queries
from csat.reporting.definitions import variables
from csat.reporting.figures import Tally
from csat.reporting.search import is_match
from csat.reporting.series import tally

_ROWS_PER_PAGE = 25
_ALL_AGENTS = 100_000
_RANKED, _UNRANKED = "Ranked", "Not yet ranked"


def show(snapshot: Snapshot) -> None:
    """The page: one agent where the URL names one, else the leaderboard."""
    agent_id = canonical_name(st.query_params.get("agent", ""))
    window = window_filter(has_all=True)
    leaderboard = bind(
        queries.LEADERBOARD, as_of_date=snapshot.state.last_date, window_id=window, row_limit=_ALL_AGENTS
    )
    if agent_id:
        agent.show(snapshot, agent_id, window, leaderboard)
        return
    [rows] = snapshot.rows(leaderboard)
    found = _filtered(rows)
    lists = {
        _RANKED: [row for row in found if row["is_ranked"]],
        _UNRANKED: [row for row in found if not row["is_ranked"]],
    }
    chosen = _list_filter(lists, window)
    if not lists[chosen]:
        _show_none(chosen, lists[_RANKED if chosen == _UNRANKED else _UNRANKED])
        return
    shown = _one_page(lists[chosen])
    columns = leaderboard_columns(shown, window, tally(rows)) if chosen == _RANKED else _unranked_columns(window)
    st.html(table(f"{chosen} agents, {window_name(window)}", columns, shown))
    _explain(chosen, rows)


def _list_filter(lists: Mapping[str, Rows], window: str) -> str:
    """The list that the viewer chose, with the button that saves it and the length of both."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        chosen: str | None = st.segmented_control(
            "List", list(lists), default=_RANKED, required=True, key="list", bind="query-params"
        )
        assert chosen is not None
        download(f"csat-agents-{chosen.lower().replace(' ', '-')}-{window}", lists[chosen])
    ranked, unranked = (formats.count(len(lists[name])) for name in (_RANKED, _UNRANKED))
    st.caption(f"{ranked} ranked, {unranked} with too few responses for a rank.")
    return chosen


def _show_none(chosen: str, others: Rows) -> None:
    if not others:
        st.info("No agent matches the filters.")
        return
    kind, other = ("ranked", _UNRANKED) if chosen == _RANKED else ("unranked", _RANKED)
    found = f"Show {formats.count(len(others))} in the list {other}"
    other_list = link(found, "agents", **this_view(list=other, page=""))
    st.html(note(joined(f"No {kind} agent matches the filters. ", other_list)))


def _filtered(rows: Rows) -> Rows:
    first, second, third = st.columns(3)
    with first:
        text = st.text_input("Search agent", key="search", bind="query-params", placeholder="Name or id")
    with second:
        supervisor = choice("Team (supervisor)", "team", _names(rows, "supervisor_name"))
    with third:
        manager = choice("Manager", "manager", _names(rows, "manager_name"))
    return [
        row
        for row in rows
        if is_match(text, row["agent_name"], row["agent_id"])
        and (not supervisor or row["supervisor_name"] == supervisor)
        and (not manager or row["manager_name"] == manager)
    ]


def _names(rows: Rows, column: str) -> list[str]:
    return sorted({row[column] for row in rows if row[column]})


def _one_page(rows: Rows) -> Rows:
    pages = -(-len(rows) // _ROWS_PER_PAGE)
    if pages == 1:
        return rows
    if st.session_state.get("page", 1) > pages:  # other filters match fewer
        st.session_state["page"] = pages
    number = st.pagination(pages, key="page", bind="query-params")
    return rows[(number - 1) * _ROWS_PER_PAGE : number * _ROWS_PER_PAGE]


def team(row: Row) -> Html:
    """The agent's supervisor and manager."""
    return joined(name(row["supervisor_name"]), " · ", name(row["manager_name"]))


def leaderboard_columns(shown: Rows, window: str, total: Tally, *, is_short: bool = False) -> list[Column]:
    """The columns of a leaderboard; the line in the drawn intervals is the CSAT of `total`."""
    scale = scale_of(shown, total.csat_rate)
    columns = [
        Column("Rank", lambda row: lines(formats.count(row["leaderboard_rank"]), formats.places(row["rank_change"]))),
        Column("Agent", _name(window, is_list=not is_short), is_figure=False),
        Column("Responses", lambda row: formats.count(row["response_count"]), importance=2),
        Column(
            "CSAT",
            rate_with_interval,
        ),
        Column(
            scale_header("interval", scale), lambda row: drawn_interval(row, scale, total.csat_rate), is_figure=False
        ),
        Column("Adjusted CSAT", lambda row: formats.percent(row["adjusted_csat_rate"]), importance=2),
        Column("Tier", lambda row: formats.count(row["tier"]), importance=2),
        Column("Score", lambda row: formats.score(row["average_score"]), importance=2),
        Column("vs. expected", _versus_expected, importance=2),
        Column("First reply", lambda row: formats.minutes(row["median_first_reply_minutes"]), importance=2),
    ]
    return columns[:5] if is_short else columns


def _versus_expected(row: Row) -> Html:
    if row["csat_difference"] is None:
        return Html(formats.MISSING)
    interval = formats.points_interval(row["csat_difference_low"], row["csat_difference_high"])
    return lines(formats.points(row["csat_difference"]), interval)


def _unranked_columns(window: str) -> list[Column]:
    return [
        Column("Agent", _name(window, is_list=True), is_figure=False),
        Column("Needed", lambda row: f"{row['responses_missing']} more"),
        Column("Responses", lambda row: formats.count(row["response_count"])),
        Column(
            "CSAT",
            rate_with_interval,
        ),
        Column("Score", lambda row: formats.score(row["average_score"]), importance=2),
    ]


def _name(window: str, *, is_list: bool) -> Callable[[Row], Html]:
    filters = this_view if is_list else dict[str, str]  # a link of the list leads back to the same list
    return lambda row: lines(
        link(name(row["agent_name"]), "agents", **filters(agent=row["agent_id"], window=window)),
        team(row),
        narrow=f"{formats.count(row['response_count'])} responses",
    )


def _explain(chosen: str, rows: Rows) -> None:
    numbers = variables()
    if chosen == _RANKED:
        average = formats.percent(tally(rows).csat_rate)
        st.caption(
            f"Ranked by CSAT adjusted for small samples: it adds {numbers.prior_responses} responses at the period's "
            f"average ({average}, the line in each interval). A tier ends before the first interval that lies wholly "
            "below that of its first agent."
        )
    else:
        st.caption(f"A rank needs {numbers.minimum_responses} responses in the period.")


PAGE = Page(
    "Agents",
    "agents",
    show,
    (
        "CSAT",
        "Interval",
        "Adjusted CSAT",
        "Rank",
        "Rank change",
        "Tier",
        "Not yet ranked",
        "Score",
        "vs. expected",
        "Expected CSAT",
        "First reply time",
        "Median",
        "p90",
        "Period",
    ),
    has_window=True,
)
