"""One agent: the current figures, their history and the cases."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import streamlit as st

from csat.bigquery.query import Rows
from csat.dashboard import charts
from csat.dashboard.controls import download, window_name
from csat.dashboard.frame import Snapshot, set_title
from csat.dashboard.navigation import this_view
from csat.dashboard.sorting import chosen_sorting
from csat.dashboard.source import BoundQuery, bind
from csat.dashboard.tables import Card, Column, Html, Row, cards, heading, joined, lines, more, name, note, table
from csat.reporting import formats, queries
from csat.reporting.comparison import NO_PREVIOUS
from csat.reporting.definitions import variables
from csat.reporting.series import points, rank_points, rated
from csat.reporting.variables import ALL_TIME

_HISTORY = timedelta(days=180)


def show(snapshot: Snapshot, agent_id: str, window: str, leaderboard: BoundQuery) -> None:
    """The agent's page; `leaderboard` is that of all agents in the window."""
    st.html(more("← All agents", "agents", **this_view(agent="", cases="", window=window)))
    last = snapshot.state.last_date
    assert last is not None
    rolling = list(variables().window_days)[-1] if window == ALL_TIME else window
    since = snapshot.first_date_of(window)
    rows, people, history, mix = snapshot.rows(
        leaderboard,
        bind(queries.AGENT, agent_id=agent_id),
        bind(queries.AGENT_LEADERBOARDS, agent_id=agent_id, window_id=rolling, since=last - _HISTORY, until=last),
        bind(queries.AGENT_MIX, agent_id=agent_id, since=since, until=last),
    )
    if not people:
        st.html(note(f"No agent has the id {agent_id}."))
        return
    own = next((row for row in rows if row["agent_id"] == agent_id), None)
    _head(people[0])
    if own is None:
        st.html(note(f"No responses in this period ({window_name(window)})."))
    else:
        st.html(cards(_cards(own, rows, is_compared=snapshot.has_previous(window))))
    _history(history, rolling)
    _mix(mix, window, agent_id)


def _head(person: Mapping[str, Any]) -> None:
    set_title(person["agent_name"])
    facts = (
        joined("Team of ", name(person["supervisor_name"])),
        joined("manager ", name(person["manager_name"])),
        f"{person['shift']} shift",
        f"tenure {person['tenure_bucket']}",
        f"last response {formats.moment(person['last_response_at'])}",
    )
    st.html(heading(person["agent_name"], Html(" · ".join(joined(fact) for fact in facts))))


def _cards(own: Row, rows: Rows, *, is_compared: bool) -> list[Card]:
    ranked = sum(row["is_ranked"] for row in rows)
    rank = formats.count(own["leaderboard_rank"]) if own["is_ranked"] else "Not yet ranked"
    rank_notes = (
        (
            f"of {formats.count(ranked)} ranked, tier {own['tier']}",
            _rank_change(own) if is_compared else NO_PREVIOUS,
        )
        if own["is_ranked"]
        else (f"{own['responses_missing']} more responses needed",)
    )
    interval = formats.interval(own["wilson_low"], own["wilson_high"])
    return [
        Card("Rank", rank, rank_notes),
        Card(
            "CSAT",
            formats.percent(own["csat_rate"]),
            (f"95 % interval {interval}", f"adjusted {formats.percent(own['adjusted_csat_rate'])}"),
        ),
        Card(
            "Responses",
            formats.count(own["response_count"]),
            (f"average score {formats.score(own['average_score'])}",),
        ),
        Card(
            "CSAT vs. expected",
            formats.points(own["csat_difference"]),
            _expectation(own),
        ),
        Card(
            "Median first reply time",
            formats.minutes(own["median_first_reply_minutes"]),
            (f"p90 {formats.minutes(own['p90_first_reply_minutes'])}",),
        ),
    ]


def _expectation(own: Row) -> tuple[str, ...]:
    if own["csat_difference"] is None:
        return ("no other agent had some of these cases",)
    interval = formats.points_interval(own["csat_difference_low"], own["csat_difference_high"])
    return (
        f"95 % interval {interval}",
        f"{formats.percent(own['expected_csat_rate'])} expected for this case mix",
    )


def _rank_change(own: Row) -> str:
    change = own["rank_change"]
    return "no rank in the previous period" if change is None else f"{formats.places(change)} vs. the previous period"


def _history(history: Rows, rolling: str) -> None:
    st.header("History", anchor=False)
    st.caption(f"Each day shows the {window_name(rolling)} up to that day.")
    left, right = st.columns(2, gap="large")
    if not history:
        st.html(note("No responses in this period."))
        return
    first, last = (history[index]["leaderboard_date"] for index in (0, -1))
    span = f"from {formats.day(first)} to {formats.day(last)}"
    drawn = points(history, time="leaderboard_date")
    with left:
        charts.draw(charts.rates(drawn, "day"), f"Rolling CSAT of the agent {span}, with its interval.")
    with right:
        ranks = rank_points(history)
        if ranks:
            alt_text = f"Rank of the agent {span}: {ranks[-1]['rank']} at the end."
            charts.draw(charts.ranks(ranks, first, last), alt_text)
        else:
            st.html(note("No rank in this period: too few responses."))


def _mix(mix: Rows, window: str, agent_id: str) -> None:
    columns = _case_columns()
    sorting = chosen_sorting("agents", columns, "-response_count", "cases")
    mix = [row | {"average_score": row["score_sum"] / row["response_count"]} for row in rated(mix)]
    ordered = sorting.order.sort(mix)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("Cases", anchor=False)
        download(f"csat-agent-{agent_id}-{window}", ordered)
    sorting.show()
    caption = f"The agent's responses by category and channel, {window_name(window)}"
    st.html(table(caption, columns, ordered, sorting.header))


def _case_columns() -> list[Column]:
    return [
        Column("Category", _case, is_figure=False, sort="category"),
        Column("Responses", lambda row: formats.count(row["response_count"]), sort="-response_count"),
        Column("CSAT", lambda row: formats.percent(row["csat_rate"]), sort="-csat_rate"),
        Column("95 % interval", lambda row: formats.interval(row["wilson_low"], row["wilson_high"]), importance=2),
        Column("Score", lambda row: formats.score(row["average_score"]), sort="-average_score"),
    ]


def _case(row: Row) -> Html:
    return lines(name(row["category"]), name(row["channel"]))
