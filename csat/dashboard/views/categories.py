"""Categories: volume, dissatisfied responses, significant changes, and the sub-categories of one."""

from collections.abc import Callable
from datetime import date
from typing import Any

import streamlit as st

from csat.bigquery.query import Rows
from csat.dashboard import charts
from csat.dashboard.controls import download, window_filter, window_name
from csat.dashboard.frame import Page, Snapshot, set_title
from csat.dashboard.navigation import this_view
from csat.dashboard.sorting import chosen_sorting
from csat.dashboard.source import bind
from csat.dashboard.tables import (
    Card,
    Column,
    Html,
    Row,
    bar,
    cards,
    heading,
    lines,
    link,
    more,
    note,
    rate_with_interval,
    table,
)
from csat.dashboard.tables import name as named
from csat.reporting import formats, queries
from csat.reporting.comparison import TOO_FEW, by_chance, verdict
from csat.reporting.definitions import variables
from csat.reporting.figures import Tally
from csat.reporting.order import ATTENTION
from csat.reporting.series import chart_span, points, rated, tally
from csat.reporting.variables import ALL_TIME

_ALL_CATEGORIES = 10_000
_PATH = "categories"
_MOST_RESPONSES = "-response_count"
_PARTS, _CHANGED = "parts", "changes"  # parameters of the orders of the other tables


def show(snapshot: Snapshot) -> None:
    """The page: one category where the URL names one, else all of them."""
    name = st.query_params.get("category", "")
    window = window_filter(has_all=True)
    place: dict[str, Any] = {"as_of_date": snapshot.state.last_date, "window_id": window, "row_limit": _ALL_CATEGORIES}
    ranking = [bind(queries.CATEGORIES, **place), bind(queries.SUB_CATEGORIES, category="", **place)]
    if not name:
        categories, parts = map(rated, snapshot.rows(*ranking))
        _all(window, categories, parts, is_compared=snapshot.has_previous(window))
        return
    assert snapshot.state.last_date is not None
    dates = {"since": snapshot.first_date_of(window), "until": snapshot.state.last_date}
    days = bind(queries.CATEGORY_DAYS, category=name, **dates)
    *both, history = snapshot.rows(*ranking, days)
    categories, parts = map(rated, both)
    own_parts = [row for row in parts if row["category"] == name]
    axis = chart_span(dates["since"], dates["until"], "day")
    drawn = points(history, time="response_date", until=snapshot.state.data_up_to)
    _one(name, window, categories, own_parts, lambda: _history(drawn, tally(history), axis))


def _all(window: str, categories: Rows, parts: Rows, *, is_compared: bool) -> None:
    columns = _columns(categories, lambda row: _category(row, window), "category")
    sorting = chosen_sorting(_PATH, columns, _MOST_RESPONSES, has_attention=True)
    shown = sorting.order.sort(categories)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        total = tally(categories)
        st.caption(f"{formats.count(total.responses)} responses, CSAT {formats.percent(total.csat_rate)}.")
        download(f"csat-categories-{window}", shown)
        download(f"csat-sub-categories-{window}", parts, "CSV of sub-categories")
    sorting.show("Categories")
    st.html(table(f"Categories, {window_name(window)}", columns, shown, sorting.header))
    if sorting.order == ATTENTION:
        st.caption("First the categories whose CSAT dropped significantly, then the others, by dissatisfied responses.")
    _changes([*categories, *parts], window, is_compared=is_compared)


def _one(name: str, window: str, categories: Rows, parts: Rows, draw: Callable[[], None]) -> None:
    st.html(more("← All categories", _PATH, **this_view(category="", parts="", window=window)))
    own = next((row for row in categories if row["category"] == name), None)
    if own is None:
        st.html(note(f"No responses about {name} in this period ({window_name(window)})."))
        return
    set_title(name)
    st.html(heading(name, f"{formats.day(own['window_start'])} to {formats.day(own['window_end'])}"))
    st.html(cards(_cards(own, categories)))
    draw()
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("Sub-categories", anchor=False)
        columns = _columns(parts, lambda row: named(row["sub_category"]), "sub_category")
        sorting = chosen_sorting(_PATH, columns, _MOST_RESPONSES, _PARTS, has_attention=True)
        shown = sorting.order.sort(parts)
        download(f"csat-sub-categories-{window}", shown)
    sorting.show("Sub-categories")
    st.html(table(f"Sub-categories, {window_name(window)}", columns, shown, sorting.header))


def _cards(own: Row, categories: Rows) -> list[Card]:
    count = len(categories)
    return [
        Card(
            "Responses",
            formats.count(own["response_count"]),
            (f"{formats.percent(own['share'])} of all", f"number {own['volume_rank']} of {count} by responses"),
        ),
        Card(
            "CSAT",
            formats.percent(own["csat_rate"]),
            (f"95 % interval {formats.interval(own['wilson_low'], own['wilson_high'])}", _moved(own)),
        ),
        Card(
            "Dissatisfied responses",
            formats.count(own["dissatisfied_count"]),
            (f"number {own['dissatisfied_rank']} of {count} by dissatisfied responses",),
        ),
    ]


def _history(drawn: charts.Points, total: Tally, axis: tuple[date, date]) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        charts.draw(
            charts.volume(drawn, "day", span=axis), f"Responses per day, {formats.count(total.responses)} in total."
        )
    with right:
        alt_text = f"CSAT per day with its interval, {formats.percent(total.csat_rate)} in total."
        charts.draw(charts.rates(drawn, "day", span=axis), alt_text)


def _columns(rows: Rows, name: Callable[[Row], str | Html], sort_of_name: str) -> list[Column]:
    most = max((row["share"] for row in rows), default=1.0)
    return [
        Column("Category", name, is_figure=False, sort=sort_of_name),
        Column("Responses", _responses, sort=_MOST_RESPONSES),
        Column("Share", lambda row: bar(row["share"] / most), is_figure=False, importance=2),
        Column("CSAT", rate_with_interval, sort="-csat_rate"),
        Column("Change", _change_cell, importance=2, sort="-csat_change"),
        Column("DSAT", lambda row: formats.count(row["dissatisfied_count"]), sort="-dissatisfied_count"),
    ]


def _responses(row: Row) -> Html:
    return lines(formats.count(row["response_count"]), formats.percent(row["share"]))


def _change_cell(row: Row) -> Html:
    if row["csat_change"] is None:
        return lines(formats.MISSING, "too few responses" if row["previous_response_count"] else "")
    return lines(formats.points(row["csat_change"]), "significant" if row["is_significant"] else "")


def _moved(row: Row) -> str:
    if row["csat_change"] is None:
        return TOO_FEW if row["previous_response_count"] else "no responses in a complete previous period"
    was = formats.percent(row["previous_csat_rate"])
    return f"{formats.points(row['csat_change'])} from {was} in the previous period, {verdict(row['is_significant'])}"


def _category(row: Row, window: str) -> Html:
    return link(named(row["category"]), _PATH, **this_view(category=row["category"], window=window))


def _changes(rows: Rows, window: str, *, is_compared: bool) -> None:
    st.header("Significant changes", anchor=False)
    found = sorted((row for row in rows if row["is_significant"]), key=lambda row: -abs(row["csat_change"]))
    if not found:
        st.html(note(_no_changes(window, is_compared=is_compared)))
        return
    columns = _change_columns(window)
    sorting = chosen_sorting(_PATH, columns, parameter=_CHANGED)
    sorting.show()
    caption = f"Significant changes vs. the previous {window_name(window)}"
    st.html(table(caption, columns, sorting.order.sort(found), sorting.header))
    st.caption(by_chance(rows))


def _no_changes(window: str, *, is_compared: bool) -> str:
    if window == ALL_TIME:
        return "All time has no previous period to compare with: choose a shorter period."
    if not is_compared:
        return f"The previous {window_name(window)} are not complete in the marts: choose a shorter period."
    minimum = variables().minimum_comparison_responses
    return f"None vs. the previous {window_name(window)}, among those with at least {minimum} responses in both."


def _change_columns(window: str) -> list[Column]:
    def name(row: Row) -> Html:
        part = row["sub_category"]
        return lines(_category(row, window), named(part) if part else "whole category")

    def rate(row: Row) -> Html:
        return lines(formats.percent(row["csat_rate"]), f"was {formats.percent(row['previous_csat_rate'])}")

    def count(row: Row) -> Html:
        return lines(formats.count(row["response_count"]), f"were {formats.count(row['previous_response_count'])}")

    return [
        Column("Category", name, is_figure=False, sort="category"),
        Column("CSAT", rate, sort="-csat_rate"),
        Column("Change", lambda row: formats.points(row["csat_change"]), sort="-csat_change"),
        Column("Responses", count, sort=_MOST_RESPONSES),
    ]


PAGE = Page(
    "Categories",
    "categories",
    show,
    (
        "Responses",
        "CSAT",
        "Interval",
        "Share",
        "DSAT",
        "Change",
        "Significant",
        "Needs attention",
        "Sub-category",
        "Period",
    ),
    has_window=True,
)
