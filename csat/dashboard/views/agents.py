"""Agents: the leaderboard with intervals, and one agent's own page."""

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from csat.bigquery.query import Rows
from csat.contract.names import canonical_name
from csat.dashboard.controls import choice, download, window_filter, window_name
from csat.dashboard.frame import Page, Snapshot
from csat.dashboard.navigation import this_view
from csat.dashboard.sorting import PARAMETER, Sorting, chosen_sorting
from csat.dashboard.source import bind
from csat.dashboard.tables import Column, Html, joined, link, note, table
from csat.dashboard.views import agent
from csat.dashboard.views.leaderboard import leaderboard_columns, unranked_columns
from csat.reporting import formats, queries
from csat.reporting.attention import needs_attention
from csat.reporting.definitions import variables
from csat.reporting.order import ATTENTION
from csat.reporting.search import is_match
from csat.reporting.series import tally

_ROWS_PER_PAGE = 25
_ALL_AGENTS = 100_000
_RANKED, _UNRANKED = "Ranked", "Not yet ranked"
_Columns = Callable[[Rows], list[Column]]


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
    columns: Mapping[str, _Columns] = {
        _RANKED: partial(leaderboard_columns, window=window, total=tally(rows)),
        _UNRANKED: lambda _: unranked_columns(window),
    }
    chosen, sorting, ordered = _list_filter(lists, columns, window)
    if not ordered:
        _show_none(chosen, lists[_RANKED if chosen == _UNRANKED else _UNRANKED])
        return
    sorting.show("Agents" if chosen == _RANKED else "")
    caption = f"{chosen} agents, {window_name(window)}"
    _paged(ordered, lambda shown: table(caption, columns[chosen](shown), shown, sorting.header))
    _explain(chosen, rows, sorting)


def _list_filter(lists: Mapping[str, Rows], columns: Mapping[str, _Columns], window: str) -> tuple[str, Sorting, Rows]:
    """The list that the viewer chose, its order, and its rows in that order; with the button that saves them."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        # The other list has other columns
        chosen: str | None = st.segmented_control(
            "List",
            list(lists),
            default=_RANKED,
            required=True,
            key="list",
            bind="query-params",
            on_change=_forget_order,
        )
        assert chosen is not None
        is_ranked = chosen == _RANKED
        default = "leaderboard_rank" if is_ranked else "responses_missing"
        sorting = chosen_sorting("agents", columns[chosen]([]), default, has_attention=is_ranked)
        ordered = sorting.order.sort(lists[chosen])
        download(f"csat-agents-{chosen.lower().replace(' ', '-')}-{window}", ordered)
    ranked, unranked = (formats.count(len(lists[name])) for name in (_RANKED, _UNRANKED))
    st.caption(f"{ranked} ranked, {unranked} with too few responses for a rank.")
    return chosen, sorting, ordered


def _forget_order() -> None:
    st.query_params.pop(PARAMETER, None)


def _show_none(chosen: str, others: Rows) -> None:
    if not others:
        st.info("No agent matches the filters.")
        return
    kind, other = ("ranked", _UNRANKED) if chosen == _RANKED else ("unranked", _RANKED)
    found = f"Show {formats.count(len(others))} in the list {other}"
    other_list = link(found, "agents", **this_view(list=other, page="", sort=""))
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


def _paged(rows: Rows, draw: Callable[[Rows], Html]) -> None:
    """The page that the viewer chose, between two pagers: below it, a link leads to the top of the next page."""
    pages = -(-len(rows) // _ROWS_PER_PAGE)
    if pages == 1:
        st.html(draw(rows))
        return
    if st.session_state.get("page", 1) > pages:  # other filters match fewer
        st.session_state["page"] = pages
    number = st.pagination(pages, key="page", bind="query-params")
    st.html(draw(rows[(number - 1) * _ROWS_PER_PAGE : number * _ROWS_PER_PAGE]))
    st.html(_lower_pager(number, pages))


def _lower_pager(number: int, pages: int) -> Html:
    def to(text: str, page: int) -> Html:
        return link(text, "agents", **this_view(page="" if page == 1 else str(page)))

    before = [to("← Previous page", number - 1)] if number > 1 else []
    after = [to("Next page →", number + 1)] if number < pages else []
    shown = Html(" · ".join([*before, f"Page {number} of {pages}", *after]))
    return joined(Html('<nav class="more" aria-label="Pages of the list">'), shown, Html("</nav>"))


def _explain(chosen: str, rows: Rows, sorting: Sorting) -> None:
    numbers = variables()
    if chosen == _UNRANKED:
        st.caption(f"A rank needs {numbers.minimum_responses} responses in the period.")
        return
    if sorting.order == ATTENTION:
        _explain_attention(rows)
    average = formats.percent(tally(rows).csat_rate)
    st.caption(
        f"Ranked by CSAT adjusted for small samples: it adds {numbers.prior_responses} responses at the period's "
        f"average ({average}, the line in each interval). A tier ends before the first interval that lies wholly "
        "below that of its first agent."
    )


def _explain_attention(rows: Rows) -> None:
    tested = [row for row in rows if row["is_ranked"] and row["csat_difference"] is not None]
    found = sum(map(needs_attention, tested))
    st.caption(
        f"First the agents whose CSAT is significantly below expected, then the others, by dissatisfied responses. "
        f"{formats.count(found)} of {formats.count(len(tested))} ranked agents are below; by chance alone it would be "
        f"about {len(tested) * variables().chance / 2:.1f}."
    )


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
        "Needs attention",
        "DSAT",
        "Score",
        "vs. expected",
        "Expected CSAT",
        "Significant",
        "First reply time",
        "Median",
        "p90",
        "Period",
    ),
    has_window=True,
)
