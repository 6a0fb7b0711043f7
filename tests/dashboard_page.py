"""A page of the dashboard as Streamlit's AppTest runs it: what it shows, as text."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element


@dataclass
class Seen:
    """What a page shows, as text."""

    app: AppTest

    @property
    def html(self) -> str:
        """All HTML of the page."""
        return "".join(element.value for element in self.app.get("html") if isinstance(element, Element))

    @property
    def text(self) -> str:
        """The text of all HTML of the page."""
        return as_text(self.html)

    @property
    def cards(self) -> dict[str, tuple[str, ...]]:
        """The cards by label: figure and notes."""
        found = {}
        for label, rest in re.findall(r"<div><dt>(.*?)</dt>(.*?)</div>", self.html):
            found[label] = tuple(as_text(part) for part in re.findall(r"<dd.*?>(.*?)</dd>", rest))
        return found

    def table(self, caption: str) -> list[list[str]]:
        """The cells of each row of the table whose caption starts with this text."""
        for found, body in re.findall(r"<caption.*?>(.*?)</caption>.*?<tbody>(.*?)</tbody>", self.html):
            if unescape(found).startswith(caption):
                rows = re.findall(r"<tr>(.*?)</tr>", body)
                return [[as_text(cell) for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row)] for row in rows]
        return pytest.fail(f"no table {caption!r} in {self.html}")


OpenPage = Callable[..., Seen]


def run_page(name: str, **filters: str) -> Seen:
    """A page, by the name of its module and with filters in its address."""
    script = f"from csat.dashboard import frame\nfrom csat.dashboard.views import {name}\nframe.run({name}.PAGE)"
    app = AppTest.from_string(script, default_timeout=60)
    app.query_params.update(filters)
    app.run()
    assert not app.exception
    return Seen(app)


def as_text(html: str) -> str:
    """The text of HTML, with a small line on a line of its own."""
    lines = re.sub(r"<small.*?>", "\n", html)
    return unescape(re.sub(r"<.*?>", "", lines)).replace("\u202f", " ")
