"""How a view is laid out: for every width, theme and zoom, on paper, for the keyboard and for assistive technology."""

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from csat.dashboard.palette import DARK, LIGHT
from tests.integration.dashboard.browser import NARROW, RULES, WIDE, Scheme
from tests.integration.dashboard.conftest import OpenViewer

pytestmark = pytest.mark.integration

VIEWS = ["", "agents", "agents?agent=agent-0001", "categories", "categories?category=Returns"]
VIEWS += ["agents?sort=attention", "over-time?split=By+category&grain=week", "pipeline", "runbook?alert=stream_down"]
THEMES: tuple[Scheme, ...] = ("light", "dark")

_NAME_IN_FOCUS = """(({labels, innerText, ariaLabel}) => labels?.[0]?.innerText || innerText || ariaLabel || '')
    (document.activeElement)"""


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_accessible_and_fits_in_both_themes_and_widths(viewer: OpenViewer, view: str) -> None:
    window = viewer()
    window.open(view)
    found = []
    for scheme in THEMES:
        window.use(scheme)
        for width in (WIDE, NARROW):
            window.page.set_viewport_size({"width": width, "height": 900})
            violations = Axe().run(window.page, options={"runOnly": RULES}).response["violations"]
            found += [(scheme, width, one["id"], one["nodes"][0]["html"]) for one in violations]
            assert window.page.evaluate("document.documentElement.scrollWidth") <= width
    assert found == []


def test_charts_take_the_colours_of_the_theme(viewer: OpenViewer) -> None:
    window = viewer()
    window.open()
    window.wait_for_drawing(LIGHT.satisfied)
    window.use("dark")
    window.wait_for_drawing(DARK.satisfied)


@pytest.mark.parametrize("height", [0.1, 0.5, 0.7])  # the rest is the axis
def test_a_charts_tooltip_is_that_of_the_column(viewer: OpenViewer, height: float) -> None:
    """Above the line, in the band and below it."""
    window = viewer()
    window.open()
    window.wait_for_drawing(LIGHT.satisfied)
    chart = window.page.get_by_test_id("stVegaLiteChart").nth(1)
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] * height)
    window.page.mouse.move(at[0] - 9, at[1])
    window.page.mouse.move(*at)
    shown = re.compile(r"Day\s+\d+ \w+ \d+\s+CSAT\s+[\d.]+%\s+Interval from\s+[\d.]+%\s+Interval to\s+[\d.]+%")
    expect(window.page.locator("#vg-tooltip-element.visible")).to_have_text(shown, use_inner_text=True)


LONG = "Bartholomew Featherstonehaugh " * 5 + "x" * 120


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("view", ["", "agents", "categories"])
def test_no_column_is_cut_at_200_percent_or_on_paper(
    viewer: OpenViewer, view: str, media: Literal["screen", "print"]
) -> None:
    """Half of 1440 pixels, and A4; also where a name is longer than the page is wide."""
    window = viewer(720)
    window.open(view)
    window.page.emulate_media(media=media)
    rename = "(all, text) => { all[0].textContent = text; }"
    window.page.locator(".table .name").evaluate_all(rename, LONG)
    for table in window.page.locator(".table").all():
        assert table.evaluate("one => one.scrollWidth - one.clientWidth") <= 1
        assert table.locator("thead th:visible").count() >= 4
    name = window.page.locator(".table .name").first.bounding_box()
    assert name is not None
    assert name["width"] < 360
    assert name["height"] < 90


def test_what_opens_on_a_click_is_accessible_too(viewer: OpenViewer) -> None:
    window = viewer()
    window.open("over-time")
    window.page.get_by_text("Show", exact=True).click()
    window.page.get_by_role("button", name="Definitions").click()
    expect(window.page.get_by_text("CSAT: The share of responses with a score of 4 or 5.")).to_be_visible()
    expect(window.rows("Responses over time").first).to_be_visible()
    assert Axe().run(window.page, options={"runOnly": RULES}).response["violations"] == []


def test_the_keyboard_alone_is_enough(viewer: OpenViewer) -> None:
    window = viewer()
    window.open()
    keyboard = window.page.keyboard

    def focused() -> str:
        return str(window.page.evaluate(_NAME_IN_FOCUS)).strip()

    def tab_to(name: str) -> None:
        for _ in range(60):
            keyboard.press("Tab")
            if focused() == name:
                return
        pytest.fail(f"Tab does not reach {name!r}")

    tab_to("Agents")
    keyboard.press("Enter")
    window.expect_url("/agents")
    window.wait()
    tab_to("7d")
    keyboard.press("Enter")
    window.expect_url("window=7d")
    expect(window.rows("Ranked agents, 7 days").first).to_be_visible()
    name = window.rows("Ranked agents").first.get_by_role("link").inner_text()
    tab_to(name)
    keyboard.press("Enter")
    expect(window.page.get_by_role("heading", name=name)).to_be_visible()


def test_pages_are_reached_on_a_narrow_screen(viewer: OpenViewer) -> None:
    window = viewer(NARROW)
    window.open()
    window.page.get_by_role("link", name="Over time", exact=True).click()
    window.expect_url("/over-time")
    expect(window.page.get_by_role("heading", name="Over time")).to_be_visible()
