"""Categories: which are common, which are unhappy, what changed, and the sub-categories of one."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard import charts, formats, queries
from dashboard.controls import download, window_filter, window_name
from dashboard.definitions import variables
from dashboard.figures import Tally, wilson_interval
from dashboard.frame import Board, Page
from dashboard.queries import Rows
from dashboard.series import points, tally
from dashboard.source import question
from dashboard.tables import Card, Column, Html, Row, bar, cards, heading, lines, link, more, note, table
from warehouse.mart_variables import ALL_TIME

_EVERY_CATEGORY = 10_000
_ORDERS: dict[str, Callable[[Row], tuple[float, ...]]] = {
    "Answers": lambda row: (row["volume_rank"],),
    "Unhappy answers": lambda row: (row["unhappiness_rank"],),
    "CSAT": lambda row: (row["csat_rate"], row["volume_rank"]),
}


def show(board: Board) -> None:
    """The page: one category where the URL names one, else all of them."""
    name = st.query_params.get("category", "")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        window = window_filter(has_all=True)
        order = st.segmented_control(
            "Order by", list(_ORDERS), default="Answers", required=True, key="order", bind="query-params"
        )
    place: dict[str, Any] = {"board_date": board.state.last_date, "window_id": window, "row_limit": _EVERY_CATEGORY}
    questions = [question(queries.CATEGORIES, **place), question(queries.SUB_CATEGORIES, category="", **place)]
    if not name:
        categories, parts = board.rows(*questions)
        _all(window, order, categories, parts)
        return
    dates = {"since": board.first_date_of(window), "until": board.state.last_date}
    days = question(queries.CATEGORY_DAYS, category=name, **dates)
    categories, parts, history = board.rows(*questions, days)
    _one(name, window, order, categories, [row for row in parts if row["category"] == name], history)


def _all(window: str, order: str, categories: Rows, parts: Rows) -> None:
    shown = sorted(categories, key=_ORDERS[order])
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        total = tally(categories)
        st.caption(f"{formats.count(total.answers)} answers, CSAT {formats.percent(total.csat_rate)}.")
        download(f"csat-categories-{window}", [*shown, *parts])
    st.html(table(f"Categories, {window_name(window)}", _columns(shown, lambda row: _category(row, window)), shown))
    _changes([*categories, *parts], window)


def _one(name: str, window: str, order: str, categories: Rows, parts: Rows, history: Rows) -> None:
    st.html(more("← All categories", "categories", window=window))
    own = next((row for row in categories if row["category"] == name), None)
    if own is None:
        st.html(note(f"No answers about {name} in this window ({window_name(window)})."))
        return
    st.html(heading(name, f"{formats.day(own['window_start'])} to {formats.day(own['window_end'])}"))
    st.html(cards(_cards(own, categories)))
    _history(history)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("Sub-categories", anchor=False)
        download("csat-sub-categories", parts)
    shown = sorted(parts, key=_ORDERS[order])
    st.html(table(f"Sub-categories, {window_name(window)}", _columns(shown, lambda row: row["sub_category"]), shown))


def _cards(own: Row, categories: Rows) -> list[Card]:
    count = len(categories)
    interval = wilson_interval(Tally(own["answer_count"], own["satisfied_count"]))
    assert interval is not None
    moved = _moved(own) if own["csat_change"] is not None else "nothing to compare with"
    return [
        Card(
            "Answers",
            formats.count(own["answer_count"]),
            (f"{formats.percent(own['share'])} of all", f"number {own['volume_rank']} of {count} by answers"),
        ),
        Card(
            "CSAT",
            formats.percent(own["csat_rate"]),
            (f"95 % interval {formats.interval(interval.low, interval.high)}", moved),
        ),
        Card(
            "Unhappy answers",
            formats.count(own["unhappy_count"]),
            (f"number {own['unhappiness_rank']} of {count} by unhappy answers",),
        ),
    ]


def _history(days: Rows) -> None:
    drawn = points(days, time="answered_date")
    total = tally(days)
    left, right = st.columns(2, gap="large")
    with left:
        charts.draw(charts.volume(drawn, "day"), f"Answers a day: {formats.count(total.answers)} in all.")
    with right:
        alt_text = f"CSAT a day with its interval: {formats.percent(total.csat_rate)} in all."
        charts.draw(charts.rates(drawn, "day"), alt_text)


def _columns(shown: Rows, name: Callable[[Row], str | Html]) -> list[Column]:
    most = max((row["share"] for row in shown), default=1.0)
    return [
        Column("Category", name, is_figure=False),
        Column("Answers", lambda row: lines(formats.count(row["answer_count"]), formats.percent(row["share"]))),
        Column("Share", lambda row: bar(row["share"] / most), is_figure=False, importance=2),
        Column("CSAT", lambda row: lines(formats.percent(row["csat_rate"]), _interval(row))),
        Column("Change", _change_cell, importance=2),
        Column("Unhappy", lambda row: formats.count(row["unhappy_count"])),
    ]


def _interval(row: Row) -> str:
    found = wilson_interval(Tally(row["answer_count"], row["satisfied_count"]))
    return formats.interval(found.low, found.high) if found else formats.MISSING


def _change_cell(row: Row) -> Html:
    return lines(formats.points(row["csat_change"]), "significant" if row["is_significant"] else "")


def _moved(row: Row) -> str:
    verdict = "significant" if row["is_significant"] else "not significant"
    was = formats.percent(row["previous_csat_rate"])
    return f"{formats.points(row['csat_change'])} from {was} in the window before, {verdict}"


def _category(row: Row, window: str) -> Html:
    return link(row["category"], "categories", category=row["category"], window=window)


def _changes(rows: Rows, window: str) -> None:
    st.header("Significant changes", anchor=False)
    if window == ALL_TIME:
        st.html(note("There is nothing before all answers to compare them with: choose a shorter window."))
        return
    found = sorted((row for row in rows if row["is_significant"]), key=lambda row: -abs(row["csat_change"]))
    least = variables().minimum_comparison_answers
    if not found:
        st.html(note(f"None on the {window_name(window)} before, among those with {least} answers or more in both."))
        return
    columns = [
        Column("What", lambda row: lines(_category(row, window), row["sub_category"] or "all of it"), is_figure=False),
        Column(
            "CSAT",
            lambda row: lines(formats.percent(row["csat_rate"]), f"was {formats.percent(row['previous_csat_rate'])}"),
        ),
        Column("Change", lambda row: formats.points(row["csat_change"])),
        Column(
            "Answers",
            lambda row: lines(
                formats.count(row["answer_count"]), f"were {formats.count(row['previous_answer_count'])}"
            ),
        ),
    ]
    st.html(table(f"Significant changes on the {window_name(window)} before", columns, found))
    st.caption(f"Of {len(rows)} comparisons, about {len(rows) * 0.05:.0f} would look significant by chance alone.")


PAGE = Page(
    "Categories",
    "categories",
    show,
    {
        "CSAT": "csat_rate",
        "Share": "share",
        "Unhappy answers": "unhappy_count",
        "Change": "csat_change",
        "Significant": "is_significant",
        "z": "csat_change_z",
        "Sub-category": "sub_category",
        "Window": "window_id",
    },
)
