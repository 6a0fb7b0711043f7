"""Over time: answers, CSAT and response time by hour, day or week, of any range, channel and category."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import cast

import streamlit as st

from dashboard import charts, formats, queries
from dashboard.controls import choice, day_filter, download
from dashboard.frame import Board, Page
from dashboard.queries import Rows
from dashboard.series import (
    REST,
    WHOLE,
    Grain,
    Parts,
    Series,
    Split,
    bucket_label,
    fitting_grain,
    points,
    tally,
    time_points,
    window_start,
    with_rates,
)
from dashboard.source import Question, State, choices_question, question
from dashboard.tables import Card, Column, Row, cards, note, table

_DAYS = 28
_NAMED = 5
_SUNDAY = 6
_AUTO = "auto"
_GRAINS = (_AUTO, "hour", "day", "week")
# Beyond it a chart has more hours than a screen has points.
_MOST_DAYS_BY_HOUR = 62
_ROWS_SHOWN = 60
_BY_RESPONSE_TIME = ("up_to_5_minutes_count", "up_to_1_hour_count", "up_to_24_hours_count", "over_24_hours_count")
_TOGETHER = "Together"
_SPLITS: dict[str, Split] = {_TOGETHER: "", "By channel": "channel", "By category": "category"}


def show(board: Board) -> None:
    """The page."""
    first, last = board.state.first_date, board.state.last_date
    assert first is not None
    assert last is not None
    [choices] = board.rows(_choices(first, last))
    asked = _filters(first, last, choices)
    if asked is None:
        return
    [series] = board.rows(question(queries.SERIES, **asked.parameters()))
    rows = with_rates(series)
    if not rows:
        st.html(note("No answers fit the filters."))
        return
    total = tally(rows)
    whole = next((row for row in series if row["bucket"] is None), {})
    st.html(
        cards(
            [
                Card("Answers", formats.count(total.answers), (_span(asked.since, asked.until),)),
                Card("CSAT", formats.percent(total.csat_rate), (f"{formats.count(total.unhappy)} unhappy answers",)),
                Card(
                    "Median response time",
                    formats.minutes(whole.get("median_response_minutes")),
                    (f"p90 {formats.minutes(whole.get('p90_response_minutes'))}",),
                ),
                _first_responses(rows),
            ]
        )
    )
    _charts(rows, asked, _parts(rows, asked))
    _table(rows, asked)


def foresee(state: State, address: Mapping[str, str]) -> Iterator[Question]:
    """What the page asks first with these filters in its address; nothing where they are nonsense."""
    first, last = state.first_date, state.last_date
    if first is None or last is None:
        return
    yield _choices(first, last)
    grain, split = address.get("grain", _AUTO), _SPLITS.get(address.get("split", _TOGETHER))
    try:
        since = date.fromisoformat(address.get("since", str(_default_since(first, last))))
        until = date.fromisoformat(address.get("until", str(last)))
    except ValueError:
        return
    # Which categories are named apart, only their counts tell
    if grain in _GRAINS and split in ("", "channel") and first <= since <= until <= last:
        filters = (address.get("channel", ""), address.get("category", ""))
        yield question(
            queries.SERIES, **Series(since, until, _fitting(grain, since, until), *filters, split).parameters()
        )


def _choices(first: date, last: date) -> Question:
    return choices_question(queries.CHOICES, since=first, until=last)


def _default_since(first: date, last: date) -> date:
    return max(first, window_start(last, _DAYS))


def _fitting(grain: str, since: date, until: date) -> Grain:
    if grain == _AUTO:
        return fitting_grain(since, until)
    return "day" if grain == "hour" and until - since > timedelta(days=_MOST_DAYS_BY_HOUR) else cast("Grain", grain)


def _first_responses(rows: Rows) -> Card:
    counts = [sum(row[name] for row in rows) for name in _BY_RESPONSE_TIME]
    known = sum(counts)
    five_minutes, hour, day = (formats.percent(sum(counts[:n]) / known if known else None) for n in (1, 2, 3))
    return Card("First response within 1 h", hour, (f"{five_minutes} within 5 min", f"{day} within 24 h"))


def _filters(first: date, last: date, choices: Rows) -> Series | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.segmented_control("Grain", _GRAINS, default=_AUTO, required=True, key="grain", bind="query-params")
        split = st.segmented_control(
            "Lines", list(_SPLITS), default=_TOGETHER, required=True, key="split", bind="query-params"
        )
    columns = st.columns(4)
    with columns[0]:
        since = day_filter("From", "since", _default_since(first, last), first, last)
    with columns[1]:
        until = day_filter("To", "until", last, first, last)
    with columns[2]:
        channel = choice("Channel", "channel", _ordered(choices, "channel"))
    with columns[3]:
        category = choice("Category", "category", _ordered(choices, "category"))
    if since > until:
        st.html(note("The range ends before it begins."))
        return None
    grain = _fitting(chosen, since, until)
    if chosen == "hour" and grain != "hour":
        st.caption(f"More than {_MOST_DAYS_BY_HOUR} days are shown by day.")
    named = tuple(_ordered(choices, "category")[:_NAMED]) if split == "By category" else ()
    return Series(since, until, grain, channel, category, _SPLITS[split], named)


def _ordered(choices: Rows, column: str) -> list[str]:
    """The values of a column, the most common first."""
    counts: dict[str, int] = {}
    for row in choices:
        counts[row[column]] = counts.get(row[column], 0) + row["answer_count"]
    return sorted(counts, key=lambda name: (-counts[name], name))


def _parts(rows: Rows, asked: Series) -> Parts:
    """The lines that have answers, the most common first, the rest last."""
    if not asked.split:
        return WHOLE
    found = {row["part"] for row in rows}
    counts = {part: sum(row["answer_count"] for row in rows if row["part"] == part) for part in found}
    names = sorted(found - {REST}, key=lambda name: (-counts[name], name))
    if len(names) > _NAMED:  # of the channels, the most common; as many as there are colours
        names = names[:_NAMED]
    return Parts((*names, *([REST] if REST in found else [])), has_rest=REST in found)


def _charts(rows: Rows, asked: Series, parts: Parts) -> None:
    drawn = [row for row in rows if row["part"] in parts.names]
    what = f"{_span(asked.since, asked.until)}, by {asked.grain}"
    total = tally(drawn)
    st.header("Answers", anchor=False)
    answers = points(drawn, asked.grain, parts)
    charts.draw(charts.volume(answers, asked.grain, parts), f"Answers {what}: {formats.count(total.answers)} in all.")
    if cut := _cut_weeks(asked):
        st.caption(cut)
    st.header("CSAT", anchor=False)
    alt_text = f"CSAT with its interval {what}: {formats.percent(total.csat_rate)} in all."
    charts.draw(charts.rates(answers, asked.grain, parts), alt_text)
    st.header("Response time", anchor=False)
    st.caption("The thick line is the median, the thin one p90. The scale is logarithmic.")
    times = time_points(drawn, asked.grain)
    charts.draw(charts.response_times(times, asked.grain, parts), f"Median and p90 of the response time {what}.")


def _cut_weeks(asked: Series) -> str:
    """Which weeks the range cuts; empty: none."""
    is_cut = {"first": asked.since.weekday() != 0, "last": asked.until.weekday() != _SUNDAY}
    cut = [name for name in is_cut if is_cut[name]] if asked.grain == "week" else []
    return f"The {' and the '.join(cut)} week {'is' if len(cut) == 1 else 'are'} cut by the range." if cut else ""


def _table(rows: Rows, asked: Series) -> None:
    newest = rows[::-1]
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("The same as a table", anchor=False)
        download("csat-over-time", newest)
    if len(newest) > _ROWS_SHOWN:
        st.caption(f"The newest {_ROWS_SHOWN} of {formats.count(len(newest))} lines; the file has all.")
    columns = [
        Column(asked.grain.capitalize(), lambda row: bucket_label(row["bucket"], asked.grain), is_figure=False),
        *([Column("Of", lambda row: row["part"], is_figure=False)] if asked.split else []),
        Column("Answers", lambda row: formats.count(row["answer_count"])),
        Column("CSAT", lambda row: formats.percent(row["csat_rate"])),
        Column("95 % interval", _interval, importance=2),
        Column("Median", lambda row: formats.minutes(row["median_response_minutes"])),
        Column("p90", lambda row: formats.minutes(row["p90_response_minutes"]), importance=2),
    ]
    with st.expander("Show"):
        st.html(table("Answers over time", columns, newest[:_ROWS_SHOWN]))


def _interval(row: Row) -> str:
    return formats.interval(row["wilson_low"], row["wilson_high"])


def _span(since: date, until: date) -> str:
    return f"{formats.day(since)} to {formats.day(until)}"


PAGE = Page(
    "Over time",
    "over-time",
    show,
    {
        "Answers": "answer_count",
        "CSAT": "csat_rate",
        "Interval": "wilson_low",
        "Response time": "response_minutes",
        "Median": "median_response_minutes",
        "p90": "p90_response_minutes",
        "Channel": "channel",
        "Date": "answered_date",
    },
    foresee=foresee,
)
