"""The bar of pages, and links that keep the filters of the view. Each is a plain link to an address."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from csat.dashboard.frame import Page
from csat.dashboard.tables import Html, address

_OVERVIEW = "./"  # the first page has the dashboard's own address


def bar(pages: Sequence[Page], current: str) -> Html:
    """The links to the pages, in the period of this view; `current` is the path of its page, empty for the first."""
    items = []
    for page in pages:
        path = _OVERVIEW if page is pages[0] else page.path
        is_current = current == page.path or (not current and page is pages[0])
        mark = ' aria-current="page"' if is_current else ""
        window = st.query_params.get("window", "") if page.has_window else ""
        target = escape(address(path, window=window))
        items.append(f'<li><a href="{target}" target="_self"{mark}>{escape(page.title)}</a></li>')
    return Html(f'<nav class="pages" aria-label="Pages"><ul>{"".join(items)}</ul></nav>')


def this_view(**changed: str) -> dict[str, str]:
    """The filters of this view, some of them changed; an empty one is left out of an address."""
    return st.query_params.to_dict() | changed
