"""One agent: how the agent stands, how that came, and with which cases."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import streamlit as st

from dashboard import charts, formats, queries
from dashboard.controls import download, window_name
from dashboard.definitions import variables
from dashboard.figures import Tally, wilson_interval
from dashboard.frame import Board
from dashboard.queries import Rows
from dashboard.series import points, rank_points
from dashboard.source import Question, question
from dashboard.tables import Card, Column, Row, cards, heading, lines, more, note, table
from warehouse.mart_variables import ALL_TIME

_HISTORY = timedelta(days=180)


def show(board: Board, agent_id: str, window: str, leaderboard: Question) -> None:
    """The agent's page; the leaderboard is that of all agents in the window."""
    st.html(more("← All agents", "agents", window=window))
    last = board.state.last_date
    assert last is not None
    rolling = list(variables().window_days)[-1] if window == ALL_TIME else window
    since = board.first_date_of(window)
    rows, people, history, mix = board.rows(
        leaderboard,
        question(queries.AGENT, agent_id=agent_id),
        question(queries.AGENT_BOARDS, agent_id=agent_id, window_id=rolling, since=last - _HISTORY, until=last),
        question(queries.AGENT_MIX, agent_id=agent_id, since=since, until=last),
    )
    if not people:
        st.html(note(f"No agent has the id {agent_id}."))
        return
    own = next((row for row in rows if row["agent_id"] == agent_id), None)
    _head(people[0])
    if own is None:
        st.html(note(f"No answers in this window ({window_name(window)})."))
    else:
        st.html(cards(_cards(own, rows)))
    _history(history, rolling)
    _mix(mix, window, agent_id)


def _head(person: Mapping[str, Any]) -> None:
    facts = (
        f"Team of {person['supervisor_name']}",
        f"manager {person['manager_name']}",
        f"{person['shift']} shift",
        f"tenure {person['tenure_bucket']}",
        f"last answer {formats.moment(person['last_answered_at'])}",
    )
    st.html(heading(person["agent_name"], " · ".join(facts)))


def _cards(own: Row, rows: Rows) -> list[Card]:
    ranked = sum(row["is_ranked"] for row in rows)
    rank = formats.count(own["leaderboard_rank"]) if own["is_ranked"] else "Not yet ranked"
    rank_notes = (
        (
            f"of {formats.count(ranked)} ranked, tier {own['tier']}",
            f"{formats.places(own['rank_change'])} on the window before",
        )
        if own["is_ranked"]
        else (f"{own['answers_missing']} more answers needed",)
    )
    interval = formats.interval(own["wilson_low"], own["wilson_high"])
    return [
        Card("Rank", rank, rank_notes),
        Card(
            "CSAT",
            formats.percent(own["csat_rate"]),
            (f"95 % interval {interval}", f"ranked by {formats.percent(own['shrunk_csat_rate'])}"),
        ),
        Card(
            "Answers",
            formats.count(own["answer_count"]),
            (f"average score {formats.score(own['average_score'])}",),
        ),
        Card(
            "Against the mix",
            formats.points(own["csat_difference"]),
            (f"{formats.percent(own['expected_csat_rate'])} expected of these cases",),
        ),
        Card(
            "Median response time",
            formats.minutes(own["median_response_minutes"]),
            (f"p90 {formats.minutes(own['p90_response_minutes'])}",),
        ),
    ]


def _history(history: Rows, rolling: str) -> None:
    st.header("History", anchor=False)
    st.caption(f"Each day looks back on the {window_name(rolling)} that end with it.")
    left, right = st.columns(2, gap="large")
    if not history:
        st.html(note("No answers in this time."))
        return
    first, last = (history[place]["leaderboard_date"] for place in (0, -1))
    span = f"from {formats.day(first)} to {formats.day(last)}"
    drawn = points(history, time="leaderboard_date")
    with left:
        charts.draw(charts.rates(drawn, "day"), f"CSAT of the agent's windows {span}, with its interval.")
    with right:
        ranks = rank_points(history)
        if ranks:
            alt_text = f"Rank of the agent {span}: {ranks[-1]['rank']} at the end."
            charts.draw(charts.ranks(ranks, first, last), alt_text)
        else:
            st.html(note("No rank in this time: too few answers in every window."))


def _mix(mix: Rows, window: str, agent_id: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("Cases", anchor=False)
        download(f"csat-agent-{agent_id}-{window}", mix)
    columns = [
        Column("Category", lambda row: lines(row["category"], row["channel"]), is_figure=False),
        Column("Answers", lambda row: formats.count(row["answer_count"])),
        Column("CSAT", lambda row: formats.percent(row["satisfied_count"] / row["answer_count"])),
        Column("95 % interval", _interval, importance=2),
        Column("Score", lambda row: formats.score(row["score_sum"] / row["answer_count"])),
    ]
    st.html(table(f"The agent's answers by category and channel, {window_name(window)}", columns, mix))


def _interval(row: Row) -> str:
    found = wilson_interval(Tally(row["answer_count"], row["satisfied_count"]))
    return formats.interval(found.low, found.high) if found else formats.MISSING
