"""Charts of the dashboard. Each draws plain rows, and has an alternative text.

Altair makes and validates a chart's Vega-Lite template once, since that takes longer than everything else that a page
does here. Each drawing adds its rows.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal

import altair as alt
import pyarrow as pa
import streamlit as st

from csat.dashboard import axes
from csat.dashboard.palette import Palette, palette
from csat.reporting.series import WHOLE, Grain, Parts

Points = Sequence[dict[str, Any]]
Span = tuple[date, date] | None  # its end is the start of the first bucket after it
_AltairChart = alt.Chart | alt.LayerChart | alt.FacetChart

_Symbol = Literal["square", "stroke"]

_HEIGHT, _HEIGHT_WITH_LEGEND = 220, 340
_DASHES = ((1, 0), (6, 3), (2, 2), (8, 2, 2, 2), (4, 2), (1, 3))
_MINUTES_LABEL = (
    "datum.value < 60 ? datum.value + ' min' : datum.value < 1440 ? datum.value / 60 + ' h' : datum.value / 1440 + ' d'"
)
# With more points, an SVG element for each takes the browser longer than everything else on the page
_MAX_SVG_POINTS = 120
_MAX_CACHED = 200


@dataclass(frozen=True)
class ChartTemplate:
    """A chart in Vega-Lite without its points, and the fields of them that it uses. Shared: must not be changed."""

    spec: dict[str, Any]
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """A template with the points to draw."""

    template: ChartTemplate
    points: Points
    grain: Grain
    span: Span = None  # of the time axis, where it is longer than the points cover
    domain: axes.Domain | None = None  # of the other axis
    has_buckets: bool = True
    note: str = ""  # below the chart


def draw(chart: Chart, alt_text: str) -> None:
    """Put a chart on the page."""
    spec = deepcopy(chart.template.spec)
    for encoding in (layer["encoding"] for layer in _layers(spec)):
        if chart.has_buckets:
            encoding["x"]["axis"]["values"] = axes.ticks(chart.points)
        if chart.span:
            encoding["x"]["scale"]["domain"] = [axes.vega_date(end) for end in chart.span]
        if chart.domain and "scale" in encoding["y"]:
            encoding["y"]["scale"] |= {"domain": list(chart.domain), "nice": False}
    if len(chart.points) > _MAX_SVG_POINTS:
        # All that screen readers get of a canvas is its alternative text
        spec["usermeta"] = {"embedOptions": {"renderer": "canvas"}}
        spec["config"]["mark"] = {"aria": False}
    # Streamlit would convert a list to a data frame first
    table = pa.Table.from_pylist([{name: point[name] for name in chart.template.fields} for point in chart.points])
    st.vega_lite_chart(table, spec, alt=alt_text)
    if chart.note:
        st.caption(chart.note)


def volume(points: Points, grain: Grain, parts: Parts = WHOLE, span: Span = None) -> Chart:
    """Responses of each bucket as bars, its parts stacked. A point: at, end, part, partial, responses, bottom, top.

    The bar of a bucket that is not over is faint.
    """
    note = f"The faint bar is of the {grain} that is not over." if any(one["partial"] for one in points) else ""
    return Chart(_volume(grain, parts, palette()), points, grain, span, axes.count_domain(points), note=note)


def rates(points: Points, grain: Grain, parts: Parts = WHOLE, span: Span = None) -> Chart:
    """CSAT of each bucket as a line within its interval. A point: at, part, responses, csat, low, high.

    Few responses have rates and intervals that would stretch the scale: they may lie outside.
    """
    ends = ("low", "high") if parts == WHOLE else ("csat", "csat")
    domain = axes.rate_domain(points, *ends)
    hidden = axes.outside(points, domain)
    note = f"{hidden} of these rates, of few responses each, {'is' if hidden == 1 else 'are'} outside the scale."
    return Chart(_rates(grain, parts, palette()), points, grain, span, domain, note=note if hidden else "")


def first_reply_times(points: Points, grain: Grain, parts: Parts = WHOLE, span: Span = None) -> Chart:
    """Median (thick) and p90 (thin) of the first reply time, on a log scale. A point: at, part, median, p90 (minutes).

    A log scale has no zero: median_drawn and p90_drawn are the values that are drawn.
    """
    return Chart(_first_reply_times(grain, parts, palette()), points, grain, span)


def ranks(points: Points, first: date, last: date) -> Chart:
    """An agent's rank by date, the first at the top, between two dates. A point: at, label, rank."""
    return Chart(_ranks(palette()), points, "day", (first, last))


def build_times(points: Points) -> Chart:
    """Duration of builds. A point: at, label, seconds."""
    return Chart(_build_times(palette()), points, "hour", has_buckets=False)


@lru_cache(_MAX_CACHED)
def _volume(grain: Grain, parts: Parts, colors: Palette) -> ChartTemplate:
    y = alt.Y(
        "top:Q",
        title="Responses",
        axis=alt.Axis(format=",d", tickMinStep=1, tickCount=4),
        scale=alt.Scale(zero=True),
    )
    base = _chart(parts).encode(x=_time(grain), x2="end:T")
    own = [*_tooltip_header(grain, parts), alt.Tooltip("responses:Q", title="Responses", format=",")]
    bars = base.mark_rect(x2Offset=-1, tooltip=None).encode(
        y=y,
        y2="bottom:Q",
        color=_color(parts, colors, "square"),
        opacity=alt.condition("datum.partial", alt.value(0.45), alt.value(1)),
    )
    # The whole column has a tooltip: the bar's, or above the parts of a bar that of all of them
    column = base.mark_rect(opacity=0, aria=False).encode(y=alt.value(0), y2=alt.value("height"))
    if parts == WHOLE:
        return _template(alt.layer(bars, column.encode(tooltip=own)), colors, "partial")
    total = [*_tooltip_header(grain, WHOLE), alt.Tooltip("total:Q", title="Responses, all", format=",")]
    return _template(alt.layer(column.encode(tooltip=total), bars.encode(tooltip=own)), colors, "partial")


@lru_cache(_MAX_CACHED)
def _rates(grain: Grain, parts: Parts, colors: Palette) -> ChartTemplate:
    base = _chart(parts).encode(x=_time(grain))
    y = alt.Y(
        "csat:Q",
        title="CSAT",
        axis=alt.Axis(format=".0%", tickCount=4),
        scale=alt.Scale(zero=False),
    )
    tooltip = [
        *_tooltip_header(grain, parts),
        alt.Tooltip("csat:Q", title="CSAT", format=".1%"),
        alt.Tooltip("low:Q", title="Interval from", format=".1%"),
        alt.Tooltip("high:Q", title="Interval to", format=".1%"),
        alt.Tooltip("responses:Q", title="Responses", format=","),
    ]
    lines = [*_line(base, parts, colors, y), _nearest(base.encode(y=y), tooltip, parts)]
    # The bands of several lines would hide each other: their intervals are in the tooltip only
    if parts != WHOLE:
        return _template(alt.layer(*lines), colors)
    low = alt.Y("low:Q", title="CSAT")
    band = base.mark_area(opacity=0.18, tooltip=None, clip=True).encode(y=low, y2="high:Q", color=_color(parts, colors))
    return _template(alt.layer(band, *lines), colors)


@lru_cache(_MAX_CACHED)
def _first_reply_times(grain: Grain, parts: Parts, colors: Palette) -> ChartTemplate:
    base = _chart(parts).encode(x=_time(grain))
    axis = alt.Axis(values=[0.1, 1, 5, 15, 60, 240, 1440, 5760], labelExpr=_MINUTES_LABEL)
    scale = alt.Scale(type="log", nice=False)
    tooltip = [
        *_tooltip_header(grain, parts),
        alt.Tooltip("median:Q", title="Median, min", format=",.1f"),
        alt.Tooltip("p90:Q", title="p90, min", format=",.1f"),
    ]
    lines: list[alt.Chart] = []
    for name, width in (("median", 2.5), ("p90", 1.2)):
        y = alt.Y(f"{name}_drawn:Q", title="First reply time", axis=axis, scale=scale)
        lines += _line(base, parts, colors, y, width)
    both = base.transform_fold(["median_drawn", "p90_drawn"], as_=["of", "drawn"])
    y = alt.Y("drawn:Q", title="First reply time", axis=axis, scale=scale)
    lines.append(_nearest(both.encode(y=y), tooltip, parts))
    return _template(alt.layer(*lines), colors)


@lru_cache(_MAX_CACHED)
def _ranks(colors: Palette) -> ChartTemplate:
    y = alt.Y(
        "rank:Q",
        title="Rank",
        axis=alt.Axis(format=",d", tickMinStep=1, tickCount=4),
        scale=alt.Scale(reverse=True, padding=8, zero=False),
    )
    base = _chart().encode(x=_time("day"), y=y)
    line = base.mark_line(
        interpolate="step-after", strokeWidth=2, color=colors.satisfied, point={"size": 16}, tooltip=None
    )
    tooltip = [alt.Tooltip("label:N", title="Day"), alt.Tooltip("rank:Q", title="Rank", format=",")]
    return _template(alt.layer(line, _nearest(base, tooltip)), colors)


@lru_cache(_MAX_CACHED)
def _build_times(colors: Palette) -> ChartTemplate:
    y = alt.Y("seconds:Q", title="Seconds", axis=alt.Axis(format=",d", tickCount=4))
    base = _chart().encode(x=_time("hour"), y=y)
    line = base.mark_line(strokeWidth=2, color=colors.satisfied, point={"size": 24}, tooltip=None)
    tooltip = [alt.Tooltip("label:N", title="Built"), alt.Tooltip("seconds:Q", title="Seconds", format=",.0f")]
    return _template(alt.layer(line, _nearest(base, tooltip)), colors)


def _chart(parts: Parts = WHOLE) -> alt.Chart:
    return alt.Chart(height=_HEIGHT if parts == WHOLE else _HEIGHT_WITH_LEGEND)


def _template(chart: _AltairChart, colors: Palette, *more_fields: str) -> ChartTemplate:
    text = {"labelColor": colors.muted, "titleColor": colors.muted}
    chart = chart.configure_view(stroke=None).configure_axis(**text).configure_legend(**text)
    spec: dict[str, Any] = chart.to_dict()
    channels = [channel for layer in _layers(spec) for channel in layer["encoding"].values()]
    flat = [one for channel in channels for one in (channel if isinstance(channel, list) else [channel])]
    made = {name for layer in _layers(spec) for step in layer.get("transform", []) for name in step["as"]}
    fields = [one["field"] for one in flat if "field" in one and one["field"] not in made]
    return ChartTemplate(spec, tuple(dict.fromkeys([*fields, *more_fields])))


def _layers(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from spec.get("layer", [spec])


def _line(base: alt.Chart, parts: Parts, colors: Palette, y: alt.Y, width: float = 2) -> list[alt.Chart]:
    """A line and its points, without tooltips."""
    styled = base.encode(y=y, color=_color(parts, colors))
    line = styled.mark_line(strokeWidth=width, tooltip=None, clip=True)
    if parts != WHOLE:
        dashes = [list(dash) for dash in _DASHES[: len(parts.names)]]
        scale = alt.Scale(domain=list(parts.names), range=dashes)
        line = line.encode(strokeDash=alt.StrokeDash("part:N", scale=scale, legend=_legend(parts)))
    return [line, styled.mark_point(size=16, filled=True, opacity=1, tooltip=None, clip=True)]


def _nearest(base: alt.Chart, tooltip: list[alt.Tooltip], parts: Parts = WHOLE) -> alt.Chart:
    """The only tooltip of a chart: that of the nearest point, wherever the pointer is in the chart's column."""
    encodings: list[Any] = ["x"] if parts == WHOLE else ["x", "y"]
    nearest = alt.selection_point(name="nearest", nearest=True, on="pointerover", encodings=encodings, empty=False)
    silent = base.mark_point(size=60, filled=True, opacity=0, aria=False, clip=True)
    found: alt.Chart = silent.encode(tooltip=tooltip).add_params(nearest)
    return found


def _time(grain: Grain) -> alt.X:
    form = "%d %b %H:%M" if grain == "hour" else "%d %b"
    axis = alt.Axis(format=form, labelOverlap=True, tickCount=6, grid=False)
    return alt.X("at:T", title=None, axis=axis, scale=alt.Scale(type="utc"))


def _color(parts: Parts, colors: Palette, symbol: _Symbol = "stroke") -> alt.Color:
    scale = alt.Scale(domain=list(parts.names), range=_colors(parts, colors))
    return alt.Color("part:N", scale=scale, legend=_legend(parts, symbol))


def _legend(parts: Parts, symbol: _Symbol = "stroke") -> alt.Legend | None:
    if parts == WHOLE:
        return None
    return alt.Legend(title=None, orient="bottom", columns=2, labelLimit=160, symbolType=symbol, symbolStrokeWidth=3)


def _colors(parts: Parts, colors: Palette) -> list[str]:
    if parts == WHOLE:
        return [colors.satisfied]
    named = colors.parts[: len(parts.names) - parts.has_rest]
    return [*named, *([colors.rest] if parts.has_rest else [])]


def _tooltip_header(grain: Grain, parts: Parts) -> list[alt.Tooltip]:
    time = alt.Tooltip("label:N", title=grain.capitalize())
    return [time] if parts == WHOLE else [time, alt.Tooltip("part:N", title="Series")]
