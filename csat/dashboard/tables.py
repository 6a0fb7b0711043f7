"""Tables and cards as HTML that works for screen readers and on narrow screens. Text is escaped here, or is our own.

Streamlit's own table draws on a canvas, and its markdown would render the links and load the pictures that a
name from a message could contain.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal
from urllib.parse import urlencode

from csat.reporting import formats

Row = Mapping[str, Any]

NO_NAME = "(no name)"
# By the kind of a badge; style.css has its colour
_ICONS = {
    "fresh": "✓",
    "stale": "◔",
    "offline": "⊘",
    "empty": "○",
    "ok": "✓",
    "skipped": "○",
    "warning": "▲",
    "critical": "✖",
}


class Html(str):
    """HTML made here, which is not escaped a second time."""

    __slots__ = ()


@dataclass(frozen=True)
class Column:
    """A column: its header, and the cell for a row. Text is escaped.

    `importance` 1 is always shown; 2 is hidden on a narrow screen. `sort` is the order of the first click on the
    header, as csat.reporting.order writes it; empty where the column has none.
    """

    header: str
    cell: Callable[[Row], str | Html]
    is_figure: bool = True
    importance: Literal[1, 2] = 1
    sort: str = ""


def column_header(column: Column, state: str = "") -> Html:
    """The header cell of a column; `state` are further attributes."""
    return Html(f'<th scope="col" class="{_classes(column)}"{state}>{_text(column.header)}</th>')


def table(
    caption: str, columns: Sequence[Column], rows: Iterable[Row], header: Callable[[Column], Html] = column_header
) -> Html:
    """A table whose first column names its rows."""
    headers = "".join(map(header, columns))
    body = "".join(
        f"<tr>{''.join(_cell(column, row, column is columns[0]) for column in columns)}</tr>" for row in rows
    )
    return Html(
        f'<div class="table" role="region" aria-label="{escape(caption)}" tabindex="0"><table>'
        f'<caption class="visually-hidden">{escape(caption)}</caption>'
        f"<thead><tr>{headers}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(column: Column, row: Row, is_first: bool) -> str:
    tag, scope = ("th", ' scope="row"') if is_first else ("td", "")
    return f'<{tag}{scope} class="{_classes(column)}">{_text(column.cell(row))}</{tag}>'


def _classes(column: Column) -> str:
    return f"{'figure' if column.is_figure else 'text'} importance-{column.importance}"


def _text(value: str | Html) -> str:
    return value if isinstance(value, Html) else escape(value)


def joined(*pieces: str | Html) -> Html:
    """The pieces concatenated, with text escaped."""
    return Html("".join(_text(piece) for piece in pieces))


def link(text: str | Html, path: str, hint: str = "", /, **parameters: str) -> Html:
    """A link to a view of the dashboard: its page and its filters. The hint is shown under the pointer."""
    title = f' title="{escape(hint)}"' if hint else ""
    return Html(f'<a href="{escape(address(path, **parameters))}" target="_self"{title}>{_text(text)}</a>')


def name(text: str) -> Html:
    """A name from a message: it wraps within a maximum width, its title has all of it, and its direction is its own."""
    shown = escape(text if text.strip() else NO_NAME)
    return Html(f'<bdi class="name" title="{shown}">{shown}</bdi>')


def address(path: str, /, **parameters: str) -> str:
    """The address of a view, relative to the dashboard's own."""
    filters = {name: value for name, value in parameters.items() if value}
    return f"{path}?{urlencode(filters)}" if filters else path


def lines(first: str | Html, second: str | Html, narrow: str | Html = "") -> Html:
    """Two lines, the second smaller; `narrow` replaces it on a narrow screen."""
    if not narrow:
        return Html(f"{_text(first)}<small>{_text(second)}</small>")
    wide, other = (f'<small class="{name}">' for name in ("importance-2", "narrow"))
    return Html(f"{_text(first)}{wide}{_text(second)}</small>{other}{_text(narrow)}</small>")


def heading(text: str, below: str | Html) -> Html:
    """A second-level heading that is a name, with a line below it."""
    return Html(f"<h2>{name(text)}</h2><p>{_text(below)}</p>")


def note(text: str | Html) -> Html:
    """A sentence in place of missing figures."""
    return Html(f'<p class="note-box">{_text(text)}</p>')


def more(text: str, path: str, /, **parameters: str) -> Html:
    """A link on a line of its own."""
    return Html(f'<p class="more">{link(text, path, **parameters)}</p>')


def rate_with_interval(row: Row) -> Html:
    """CSAT, and its interval below."""
    return lines(formats.percent(row["csat_rate"]), formats.interval(row["wilson_low"], row["wilson_high"]))


@dataclass(frozen=True)
class Scale:
    """The range of rates that the drawn intervals of a table share."""

    low: float
    high: float = 1.0

    def position(self, rate: float) -> float:
        """The position of a rate on the scale, in per cent of its length."""
        return round(100 * (min(max(rate, self.low), self.high) - self.low) / (self.high - self.low), 2)


def scale_of(rows: Iterable[Row], mark: float | None = None) -> Scale:
    """A scale that includes the intervals of all rows and the reference rate `mark`; it starts at a full tenth."""
    lows = [row["wilson_low"] for row in rows if row["wilson_low"] is not None]
    lows += [] if mark is None else [mark]
    return Scale(min(0.9, int(min(lows, default=0.0) * 10) / 10))


def drawn_interval(row: Row, scale: Scale, mark: float | None = None) -> Html:
    """An interval as a bar with its rate as a dot; `mark` is the reference rate. The figures are next to it."""
    low, high, rate = (scale.position(row[name]) for name in ("wilson_low", "wilson_high", "csat_rate"))
    line = "" if mark is None else f'<i class="mark" style="left:{scale.position(mark)}%"></i>'
    return Html(
        f'<span class="interval" aria-hidden="true">{line}'
        f'<i class="reach" style="left:{low}%;width:{round(high - low, 2)}%"></i>'
        f'<i class="dot" style="left:{rate}%"></i></span>'
    )


def scale_header(label: str, scale: Scale) -> Html:
    """The header of a column of drawn intervals: its label between the two ends of the scale."""
    ends = (formats.percent(scale.low, 0), formats.percent(scale.high, 0))
    return Html(
        f'<span class="scale"><span aria-hidden="true">{ends[0]}</span><span>{escape(label)}</span>'
        f'<span aria-hidden="true">{ends[1]}</span></span>'
    )


def bar(share: float) -> Html:
    """A share as a bar. The figure is next to it."""
    return Html(f'<span class="bar" aria-hidden="true"><i style="width:{round(100 * share, 2)}%"></i></span>')


def badge(label: str, kind: str) -> Html:
    """A label in a frame, with the colour and the icon of its kind."""
    icon = f'<span aria-hidden="true">{_ICONS[kind]}</span>'
    return Html(f'<span class="badge badge-{kind}">{icon} {escape(label)}</span>')


@dataclass(frozen=True)
class Card:
    """A figure with its label, and notes that put it in context."""

    label: str
    figure: str
    notes: tuple[str | Html, ...] = ()


def cards(shown: Sequence[Card]) -> Html:
    """Cards side by side, or stacked on a narrow screen."""
    return Html('<dl class="cards">' + "".join(_card(card) for card in shown) + "</dl>")


def _card(card: Card) -> str:
    notes = "".join(f'<dd class="note">{_text(note)}</dd>' for note in card.notes)
    return f'<div><dt>{escape(card.label)}</dt><dd class="value">{escape(card.figure)}</dd>{notes}</div>'
