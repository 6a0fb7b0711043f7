"""Over time: responses, CSAT and first reply time by hour, day or week, of any range, channel and category."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import cast

import streamlit as st

from csat.bigquery.query import Rows
from csat.dashboard import charts
from csat.dashboard.controls import choice, day_filter, download
from csat.dashboard.frame import Page, Snapshot
from csat.dashboard.sorting import PARAMETER, chosen_sorting
from csat.dashboard.source import BoundQuery, State, bind, bind_choices
from csat.dashboard.tables import Card, Column, Row, cards, name, note, table
from csat.reporting import formats, queries
from csat.reporting.series import (
    REST,
    WHOLE,
    Grain,
    Parts,
    Series,
    Split,
    bucket_label,
    chart_span,
    fitting_grain,
    points,
    tally,
    time_points,
    window_start,
    with_rates,
)

_DAYS = 28
_NAMED = 5
_SUNDAY = 6
_AUTO = "auto"
_GRAINS = (_AUTO, "hour", "day", "week")
# With more days, a chart has more hours than a screen has pixels.
_MAX_DAYS_BY_HOUR = 62
_ROWS_SHOWN = 60
_BY_FIRST_REPLY = ("up_to_5_minutes_count", "up_to_1_hour_count", "up_to_24_hours_count", "over_24_hours_count")
_TOTAL = "Total"
_SPLITS: dict[str, Split] = {_TOTAL: "", "By channel": "channel", "By category": "category"}


def show(snapshot: Snapshot) -> None:
    """The page."""
    first, last = snapshot.state.first_date, snapshot.state.last_date
    assert first is not None
    assert last is not None
    [choices] = snapshot.rows(_choices(first, last))
    chosen = _filters(first, last, choices)
    if chosen is None:
        return
    [buckets] = snapshot.rows(bind(queries.SERIES, **chosen.parameters()))
    rows = with_rates(buckets)
    if not rows:
        st.html(note("No responses match the filters."))
        return
    total = tally(rows)
    whole = next((row for row in buckets if row["bucket"] is None), {})
    st.html(
        cards(
            [
                Card("Responses", formats.count(total.responses), (_span(chosen.since, chosen.until),)),
                Card("CSAT", formats.percent(total.csat_rate), (f"{formats.count(total.dissatisfied)} dissatisfied",)),
                Card(
                    "Median first reply time",
                    formats.minutes(whole.get("median_first_reply_minutes")),
                    (f"p90 {formats.minutes(whole.get('p90_first_reply_minutes'))}",),
                ),
                _first_replies(rows),
            ]
        )
    )
    _charts(rows, chosen, _parts(rows, chosen), snapshot.state.data_up_to)
    _table(rows, chosen)


def prefetch(state: State, address: Mapping[str, str]) -> Iterator[BoundQuery]:
    """The queries that the page runs first with these filters in its address; none where they are invalid."""
    first, last = state.first_date, state.last_date
    if first is None or last is None:
        return
    yield _choices(first, last)
    grain, split = address.get("grain", _AUTO), _SPLITS.get(address.get("split", _TOTAL))
    try:
        since = date.fromisoformat(address.get("since", str(_default_since(first, last))))
        until = date.fromisoformat(address.get("until", str(last)))
    except ValueError:
        return
    # Which categories have a line of their own depends on their counts
    if grain in _GRAINS and split in ("", "channel") and first <= since <= until <= last:
        filters = (address.get("channel", ""), address.get("category", ""))
        yield bind(queries.SERIES, **Series(since, until, _grain(grain, since, until), *filters, split).parameters())


def _choices(first: date, last: date) -> BoundQuery:
    return bind_choices(queries.CHOICES, since=first, until=last)


def _default_since(first: date, last: date) -> date:
    return max(first, window_start(last, _DAYS))


def _grain(grain: str, since: date, until: date) -> Grain:
    if grain == _AUTO:
        return fitting_grain(since, until)
    return "day" if grain == "hour" and until - since > timedelta(days=_MAX_DAYS_BY_HOUR) else cast("Grain", grain)


def _first_replies(rows: Rows) -> Card:
    counts = [sum(row[name] for row in rows) for name in _BY_FIRST_REPLY]
    known = sum(counts)
    five_minutes, hour, day = (formats.percent(sum(counts[:n]) / known if known else None) for n in (1, 2, 3))
    return Card("First reply within 1 h", hour, (f"{five_minutes} within 5 min", f"{day} within 24 h"))


def _filters(first: date, last: date, choices: Rows) -> Series | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.segmented_control("Grain", _GRAINS, default=_AUTO, required=True, key="grain", bind="query-params")
        split = st.segmented_control(
            "Split", list(_SPLITS), default=_TOTAL, required=True, key="split", bind="query-params"
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
        st.html(note("The range ends before it starts."))
        return None
    grain = _grain(chosen, since, until)
    if chosen == "hour" and grain != "hour":
        st.caption(f"Ranges of more than {_MAX_DAYS_BY_HOUR} days are shown by day.")
    named = tuple(_ordered(choices, "category")[:_NAMED]) if split == "By category" else ()
    return Series(since, until, grain, channel, category, _SPLITS[split], named)


def _ordered(choices: Rows, column: str) -> list[str]:
    """The values of a column, the most common first."""
    counts: dict[str, int] = {}
    for row in choices:
        counts[row[column]] = counts.get(row[column], 0) + row["response_count"]
    return sorted(counts, key=lambda name: (-counts[name], name))


def _parts(rows: Rows, series: Series) -> Parts:
    """The lines that have responses, the most common first, the rest last."""
    if not series.split:
        return WHOLE
    found = {row["part"] for row in rows}
    counts = {part: sum(row["response_count"] for row in rows if row["part"] == part) for part in found}
    names = sorted(found - {REST}, key=lambda name: (-counts[name], name))
    if len(names) > _NAMED:  # the most common channels, as many as there are colours
        names = names[:_NAMED]
    return Parts((*names, *([REST] if REST in found else [])), has_rest=REST in found)


def _charts(rows: Rows, series: Series, parts: Parts, until: datetime | None) -> None:
    drawn = [row for row in rows if row["part"] in parts.names]
    what = f"{_span(series.since, series.until)}, by {series.grain}"
    total = tally(drawn)
    st.header("Responses", anchor=False)
    responses = points(drawn, series.grain, parts, until=until)
    axis = chart_span(series.since, series.until, series.grain)
    charts.draw(
        charts.volume(responses, series.grain, parts, axis),
        f"Responses {what}: {formats.count(total.responses)} in total.",
    )
    if cut := _cut_weeks(series):
        st.caption(cut)
    st.header("CSAT", anchor=False)
    alt_text = f"CSAT with its interval {what}: {formats.percent(total.csat_rate)} in total."
    charts.draw(charts.rates(responses, series.grain, parts, axis), alt_text)
    st.header("First reply time", anchor=False)
    st.caption("Thick line: median, thin line: p90. The scale is logarithmic.")
    times = time_points(drawn, series.grain, until)
    charts.draw(
        charts.first_reply_times(times, series.grain, parts, axis), f"Median and p90 of the first reply time {what}."
    )


def _cut_weeks(series: Series) -> str:
    """A note on weeks that the range includes only in part; empty where there is none."""
    is_cut = {"first": series.since.weekday() != 0, "last": series.until.weekday() != _SUNDAY}
    cut = [name for name in is_cut if is_cut[name]] if series.grain == "week" else []
    return f"The {' and the '.join(cut)} week {'is' if len(cut) == 1 else 'are'} incomplete." if cut else ""


def _table(rows: Rows, series: Series) -> None:
    columns = _columns(series)
    sorting = chosen_sorting("over-time", columns, "-bucket")
    ordered = sorting.order.sort(rows[::-1])
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.header("Table", anchor=False)
        download("csat-over-time", ordered)
    sorting.show()
    if len(ordered) > _ROWS_SHOWN:
        st.caption(f"The first {_ROWS_SHOWN} of {formats.count(len(ordered))} rows; the CSV file has all.")
    with st.expander("Show", expanded=PARAMETER in st.query_params):
        st.html(table("Responses over time", columns, ordered[:_ROWS_SHOWN], sorting.header))


def _columns(series: Series) -> list[Column]:
    part = Column(series.split.capitalize(), lambda row: name(row["part"]), is_figure=False, sort="part")
    return [
        Column(series.grain.capitalize(), partial(_bucket, series.grain), is_figure=False, sort="-bucket"),
        *([part] if series.split else []),
        Column("Responses", lambda row: formats.count(row["response_count"]), sort="-response_count"),
        Column("CSAT", lambda row: formats.percent(row["csat_rate"]), sort="-csat_rate"),
        Column("95 % interval", _interval, importance=2),
        Column("Median", _median, sort="-median_first_reply_minutes"),
        Column("p90", _p90, importance=2, sort="-p90_first_reply_minutes"),
    ]


def _bucket(grain: Grain, row: Row) -> str:
    return bucket_label(row["bucket"], grain)


def _median(row: Row) -> str:
    return formats.minutes(row["median_first_reply_minutes"])


def _p90(row: Row) -> str:
    return formats.minutes(row["p90_first_reply_minutes"])


def _interval(row: Row) -> str:
    return formats.interval(row["wilson_low"], row["wilson_high"])


def _span(since: date, until: date) -> str:
    return f"{formats.day(since)} to {formats.day(until)}"


PAGE = Page(
    "Over time",
    "over-time",
    show,
    ("Responses", "CSAT", "Interval", "First reply time", "Median", "p90", "Channel", "Date"),
    prefetch=prefetch,
)
