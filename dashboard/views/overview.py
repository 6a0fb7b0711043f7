"""Overview: how CSAT stands now, and the three answers in small: agents, categories, responses over time."""

from datetime import date, timedelta

import streamlit as st

from dashboard import charts, formats, queries
from dashboard.controls import download, window_filter, window_name
from dashboard.definitions import variables
from dashboard.figures import Change, Tally, change, wilson_interval
from dashboard.frame import Board, Page
from dashboard.queries import Rows
from dashboard.series import between, points, tally, window_start
from dashboard.source import question, utc_now
from dashboard.tables import Card, Column, cards, link, more, table
from dashboard.views.agents import board_columns
from warehouse.mart_variables import ALL_TIME

_ROWS = 5


def show(board: Board) -> None:
    """The page."""
    window = window_filter()
    last = board.state.last_date
    assert last is not None
    lengths = variables().window_days
    first, before = window_start(last, lengths[window]), window_start(last, 2 * lengths[window])
    earliest = window_start(last, 2 * max(lengths.values()))  # of either window: one answer for both
    today = utc_now().date()
    history, [time], [so_far], agents, categories = board.rows(
        question(queries.DAYS, since=earliest, until=last),
        question(queries.RESPONSE_TIME, since=first, until=last),
        question(queries.DAYS_UP_TO, today=today, until=board.state.data_up_to),
        question(queries.LEADERBOARD, board_date=last, window_id=window, row_limit=_ROWS),
        question(queries.CATEGORIES, board_date=last, window_id=window, row_limit=_ROWS),
    )
    now, then = tally(between(history, first, last)), tally(between(history, before, first - timedelta(days=1)))
    unhappy = _unhappy(now, then, is_whole=before >= board.first_date_of(ALL_TIME))
    st.html(cards([_csat(now, then, window), _today(so_far, today, board), unhappy, _time(time)]))
    _over_time(between(history, first, last), window, first, last)
    left, right = st.columns(2, gap="large")
    with left:
        _agents(agents, window, now)
    with right:
        _categories(categories, window)


def _csat(now: Tally, then: Tally, window: str) -> Card:
    interval, moved = wilson_interval(now), change(now, then)
    own = formats.interval(interval.low, interval.high) if interval else formats.MISSING
    notes = [f"95 % interval {own}"]
    notes += [_moved(moved, window)] if moved else ["no answers in the window before"]
    return Card(f"CSAT, {window_name(window)}", formats.percent(now.csat_rate), tuple(notes))


def _moved(moved: Change, window: str) -> str:
    low, high = (formats.signed(100 * end) for end in (moved.interval.low, moved.interval.high))
    verdict = "significant" if moved.is_significant else "not significant"
    return f"{formats.points(moved.difference)} on the {window_name(window)} before ({low} to {high}), {verdict}"


def _today(so_far: dict[str, int], today: date, board: Board) -> Card:
    until = board.state.data_up_to
    assert until is not None
    notes = [f"{formats.day(today)}, UTC"]
    if until.date() == today:
        notes.append(f"{formats.count(so_far['answer_count_yesterday'])} yesterday by this time")
    return Card("Answers today", formats.count(so_far["answer_count"]), tuple(notes))


def _unhappy(now: Tally, then: Tally, *, is_whole: bool) -> Card:
    share = formats.percent(now.unhappy / now.answers if now.answers else None)
    old = f"{formats.count(then.unhappy)} in the window before" if is_whole else "no whole window before"
    notes = (f"{share} of {formats.count(now.answers)} answers", old)
    return Card("Unhappy answers", formats.count(now.unhappy), notes)


def _time(time: dict[str, float | None]) -> Card:
    notes = (f"p90 {formats.minutes(time['p90_response_minutes'])}", "from the report to the first response")
    return Card("Median response time", formats.minutes(time["median_response_minutes"]), notes)


def _over_time(history: Rows, window: str, first: date, last: date) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("Answers over time", anchor=False)
        download(f"csat-days-{window}", history)
    drawn = points(history, time="answered_date")
    total = tally(history)
    span = f"from {formats.day(first)} to {formats.day(last)}"
    left, right = st.columns(2, gap="large")
    with left:
        charts.draw(charts.volume(drawn, "day"), f"Answers a day {span}: {formats.count(total.answers)} in all.")
    with right:
        alt_text = f"CSAT a day with its interval {span}: {formats.percent(total.csat_rate)} in all."
        charts.draw(charts.rates(drawn, "day"), alt_text)
    st.html(more("Any range, by channel and category", "over-time", window=window))


def _agents(agents: Rows, window: str, now: Tally) -> None:
    st.header("Top agents", anchor=False)
    st.html(
        table(
            f"The {_ROWS} best agents of {window_name(window)}",
            board_columns(agents, window, now, is_short=True),
            agents,
        )
    )
    st.html(more("All agents", "agents", window=window))


def _categories(categories: Rows, window: str) -> None:
    st.header("Most common categories", anchor=False)
    columns = [
        Column(
            "Category",
            lambda row: link(row["category"], "categories", window=window, category=row["category"]),
            is_figure=False,
        ),
        Column("Answers", lambda row: formats.count(row["answer_count"])),
        Column("CSAT", lambda row: formats.percent(row["csat_rate"])),
        Column("Unhappy", lambda row: formats.count(row["unhappy_count"])),
    ]
    st.html(table(f"The {_ROWS} most common categories of {window_name(window)}", columns, categories))
    st.html(more("All categories", "categories", window=window))


PAGE = Page(
    "Overview",
    "overview",
    show,
    {
        "CSAT": "csat_rate",
        "Unhappy answers": "unhappy_count",
        "Response time": "response_minutes",
        "Window": "window_id",
        "Significant": "is_significant",
        "Rank": "leaderboard_rank",
    },
)
