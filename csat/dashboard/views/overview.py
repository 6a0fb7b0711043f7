"""Overview: current CSAT, and summaries of responses over time, agents and categories."""

from datetime import date, datetime, timedelta

import streamlit as st

from csat.bigquery.query import Rows
from csat.dashboard import charts
from csat.dashboard.controls import download, window_filter, window_name
from csat.dashboard.frame import Page, Snapshot
from csat.dashboard.source import bind, utc_now
from csat.dashboard.tables import Card, Column, cards, link, more, name, table
from csat.dashboard.views.leaderboard import leaderboard_columns
from csat.reporting import formats, queries
from csat.reporting.comparison import NO_PREVIOUS, TOO_FEW, has_enough, verdict
from csat.reporting.definitions import variables
from csat.reporting.figures import Tally, change, wilson_interval
from csat.reporting.series import between, chart_span, points, rated, tally, window_start
from csat.reporting.variables import ALL_TIME

_ROWS = 5


def show(snapshot: Snapshot) -> None:
    """The page."""
    window = window_filter()
    last = snapshot.state.last_date
    assert last is not None
    lengths = variables().window_days
    first, before = window_start(last, lengths[window]), window_start(last, 2 * lengths[window])
    earliest = window_start(last, 2 * max(lengths.values()))  # one query serves all windows
    today = utc_now().date()
    history, [time], [so_far], agents, categories = snapshot.rows(
        bind(queries.DAYS, since=earliest, until=last),
        bind(queries.FIRST_REPLY_TIME, since=first, until=last),
        bind(queries.DAYS_UP_TO, today=today, until=snapshot.state.data_up_to),
        bind(queries.LEADERBOARD, as_of_date=last, window_id=window, row_limit=_ROWS),
        bind(queries.CATEGORIES, as_of_date=last, window_id=window, row_limit=_ROWS),
    )
    now, previous = tally(between(history, first, last)), tally(between(history, before, first - timedelta(days=1)))
    then = previous if snapshot.has_previous(window) else None
    figures = (_csat(now, then, window), _today(so_far, today, snapshot), _dissatisfied(now, then), _time(time))
    st.html(cards(figures))
    _over_time(between(history, first, last), window, (first, last), snapshot.state.data_up_to)
    left, right = st.columns(2, gap="large")
    with left:
        _agents(agents, window, now)
    with right:
        _categories(categories, window)


def _csat(now: Tally, then: Tally | None, window: str) -> Card:
    interval = wilson_interval(now)
    own = formats.interval(interval.low, interval.high) if interval else formats.MISSING
    notes = (f"95 % interval {own}", _moved(now, then, window))
    return Card(f"CSAT, {window_name(window)}", formats.percent(now.csat_rate), notes)


def _moved(now: Tally, then: Tally | None, window: str) -> str:
    if then is None:
        return NO_PREVIOUS
    moved = change(now, then) if has_enough(now.responses, then.responses) else None
    if moved is None:
        return TOO_FEW
    interval = formats.points_interval(moved.interval.low, moved.interval.high)
    change_and_period = f"{formats.points(moved.difference)} vs. the previous {window_name(window)}"
    return f"{change_and_period} ({interval}), {verdict(moved.is_significant)}"


def _today(so_far: dict[str, int], today: date, snapshot: Snapshot) -> Card:
    until = snapshot.state.data_up_to
    assert until is not None
    notes = [f"{formats.day(today)}, UTC"]
    is_whole = snapshot.first_date_of(ALL_TIME) < today - timedelta(days=1)
    if until.date() == today and is_whole:
        notes.append(f"{formats.count(so_far['response_count_yesterday'])} yesterday by this time")
    return Card("Responses today", formats.count(so_far["response_count"]), tuple(notes))


def _dissatisfied(now: Tally, then: Tally | None) -> Card:
    # Shares, not counts: today is still incomplete, the previous period is not
    old = f"{_dissatisfied_share(then)} in the previous period" if then else NO_PREVIOUS
    notes = (f"{_dissatisfied_share(now)} of {formats.count(now.responses)} responses", old)
    return Card("Dissatisfied responses", formats.count(now.dissatisfied), notes)


def _dissatisfied_share(counts: Tally) -> str:
    return formats.percent(counts.dissatisfied / counts.responses if counts.responses else None)


def _time(time: dict[str, float | None]) -> Card:
    notes = (f"p90 {formats.minutes(time['p90_first_reply_minutes'])}", "from the report to the first reply")
    return Card("Median first reply time", formats.minutes(time["median_first_reply_minutes"]), notes)


def _over_time(history: Rows, window: str, dates: tuple[date, date], until: datetime | None) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("Responses over time", anchor=False)
        download(f"csat-days-{window}", rated(history))
    drawn = points(history, time="response_date", until=until)
    total = tally(history)
    span = "from {} to {}".format(*map(formats.day, dates))
    axis = chart_span(*dates, "day")
    left, right = st.columns(2, gap="large")
    with left:
        charts.draw(
            charts.volume(drawn, "day", span=axis),
            f"Responses per day {span}, {formats.count(total.responses)} in total.",
        )
    with right:
        alt_text = f"CSAT per day with its interval {span}, {formats.percent(total.csat_rate)} in total."
        charts.draw(charts.rates(drawn, "day", span=axis), alt_text)
    st.html(more("Any range, by channel and category", "over-time", window=window))


def _agents(agents: Rows, window: str, now: Tally) -> None:
    st.header("Top agents", anchor=False)
    st.html(
        table(
            f"Top {_ROWS} agents, {window_name(window)}",
            leaderboard_columns(agents, window, now, is_short=True),
            agents,
        )
    )
    st.html(more("All agents", "agents", window=window))


def _categories(categories: Rows, window: str) -> None:
    st.header("Most common categories", anchor=False)
    columns = [
        Column(
            "Category",
            lambda row: link(name(row["category"]), "categories", window=window, category=row["category"]),
            is_figure=False,
        ),
        Column("Responses", lambda row: formats.count(row["response_count"])),
        Column("CSAT", lambda row: formats.percent(row["csat_rate"])),
        Column("DSAT", lambda row: formats.count(row["dissatisfied_count"])),
    ]
    st.html(table(f"Top {_ROWS} categories, {window_name(window)}", columns, categories))
    st.html(more("All categories", "categories", window=window))


PAGE = Page(
    "Overview",
    "overview",
    show,
    (
        "CSAT",
        "Interval",
        "DSAT",
        "First reply time",
        "Median",
        "p90",
        "Period",
        "Change",
        "Significant",
        "Rank",
        "Rank change",
    ),
    has_window=True,
)
