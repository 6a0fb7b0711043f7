"""The order of a table, kept in the address: every header is a link, and applies to all rows, not to the page shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from csat.dashboard.navigation import this_view
from csat.dashboard.tables import Column, Html, column_header, joined, link, note
from csat.reporting.order import ATTENTION, Order

PARAMETER = "sort"  # of the main table of a page
_DIRECTIONS = {False: "ascending", True: "descending"}
_ARROWS = {False: "▲", True: "▼"}


@dataclass(frozen=True)
class Sorting:
    """The order that the viewer chose for one table of the page at `path`, and the default one.

    `refused` is what the address asks for where the table has no such order.
    """

    path: str
    columns: Sequence[Column]
    order: Order
    default: Order
    parameter: str = PARAMETER
    refused: str = ""

    def header(self, column: Column) -> Html:
        """The header of a column: a link that sorts by it, or reverses the order."""
        if not column.sort:
            return column_header(column)
        order = Order.of(column.sort)
        is_current = order.column == self.order.column
        following = self.order.reverse if is_current else order
        text: str | Html = column.header
        if is_current:
            text = joined(text, Html(f'<span aria-hidden="true"> {_ARROWS[self.order.is_descending]}</span>'))
        title = f"Sort, {_DIRECTIONS[following.is_descending]}"
        state = f' aria-sort="{_DIRECTIONS[self.order.is_descending]}"' if is_current else ""
        return column_header(replace(column, header=self._link(text, following, title)), state)

    def show(self, noun: str = "") -> None:
        """Say what the order is, and refuse an unknown one. With `noun`, link to what needs attention first."""
        if self.refused:
            back = self._link("Remove it from the address", self.default)
            st.html(note(joined(f"This table has no order {self.refused!r}. ", back, ".")))
        if not noun:
            return
        if self.order == ATTENTION:
            shown = joined(f"{noun} that need attention first · ", self._link("Default order", self.default))
        else:
            shown = joined(f"{self._words()} · ", self._link("Needs attention first", ATTENTION))
        st.html(joined(Html('<p class="status">'), shown, Html("</p>")))

    def _words(self) -> str:
        [header] = {one.header for one in self.columns if one.sort and Order.of(one.sort).column == self.order.column}
        return f"Sorted by {header}, {_DIRECTIONS[self.order.is_descending]}"

    def _link(self, text: str | Html, order: Order, title: str = "") -> Html:
        chosen = "" if order == self.default else str(order)
        return link(text, self.path, title, **this_view(**{self.parameter: chosen, "page": ""}))


def chosen_sorting(
    path: str, columns: Sequence[Column], default: str = "", parameter: str = PARAMETER, *, has_attention: bool = False
) -> Sorting:
    """The order that the address names for the table with these columns, else the default one, else the query's."""
    first, asked = Order.of(default), st.query_params.get(parameter, "")
    orders = [Order.of(column.sort) for column in columns if column.sort]
    known = {*orders, *(order.reverse for order in orders), *([ATTENTION] if has_attention else [])}
    chosen = Order.of(asked) if asked else first
    if chosen in known:
        return Sorting(path, columns, chosen, first, parameter)
    return Sorting(path, columns, first, first, parameter, refused=asked)
