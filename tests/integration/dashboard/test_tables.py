"""Tables and links in the browser: headers that sort, two pagers, and the button that copies the address."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.integration.dashboard.browser import NARROW, RULES, Viewer
from tests.integration.dashboard.conftest import OpenViewer
from tests.integration.marts.conftest import Marts

pytestmark = pytest.mark.integration


def ranked(marts: Marts) -> list[dict[str, Any]]:
    return marts.execute(
        "select agent_name, csat_rate, leaderboard_rank from `{table}` where is_ranked and window_id = '28d' "
        "and leaderboard_date = (select max(leaderboard_date) from `{table}`) order by csat_rate, leaderboard_rank",
        "marts",
        "agent_leaderboard",
    )


def names(window: Viewer) -> list[str]:
    return window.page.locator(".table tbody a .name").all_text_contents()


def test_a_header_sorts_all_agents_and_back_restores_the_order(viewer: OpenViewer, marts: Marts) -> None:
    expected = [row["agent_name"] for row in ranked(marts)]
    window = viewer()
    window.open("agents")
    before, entries = names(window), window.page.evaluate("history.length")
    window.page.get_by_role("link", name="CSAT", exact=True).click()
    window.expect_url("sort=-csat_rate")
    window.page.get_by_role("columnheader", name="CSAT").first.get_by_role("link").click()
    window.expect_url("sort=csat_rate")
    expect(window.page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    assert names(window) == expected[:25]
    assert window.page.evaluate("history.length") == entries + 2
    window.page.go_back()
    window.page.go_back()
    expect(window.page.locator("th[aria-sort]")).to_contain_text("Rank")
    assert names(window) == before


def test_both_pagers_show_the_same_page_of_the_order(viewer: OpenViewer, marts: Marts) -> None:
    expected = [row["agent_name"] for row in ranked(marts)]
    window = viewer()
    window.open("agents?sort=csat_rate")
    entries = window.page.evaluate("history.length")
    window.page.get_by_role("link", name="Next page").click()
    expect(window.page.get_by_text("Page 2 of")).to_be_visible()
    assert names(window) == expected[25:50]
    window.page.get_by_role("link", name="Previous page").click()
    expect(window.page.get_by_text("Page 1 of")).to_be_visible()
    assert names(window) == expected[:25]
    assert window.page.evaluate("history.length") == entries + 2


@pytest.mark.parametrize("is_secure", [True, False])
def test_the_link_is_copied_by_the_keyboard(viewer: OpenViewer, is_secure: bool) -> None:
    """Without https, browsers have no navigator.clipboard, except on this machine's address."""
    window = viewer(NARROW)
    window.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    window.open("agents?window=7d&sort=attention")
    window.page.evaluate("window.pasteboard = navigator.clipboard")
    if not is_secure:
        window.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    window.page.get_by_role("button", name="Copy link").focus()
    window.page.keyboard.press("Enter")
    expect(window.page.get_by_text("Link copied")).to_be_visible()
    assert window.page.evaluate("window.pasteboard.readText()") == window.page.url
    assert "sort=attention" in window.page.url
    expect(window.page.get_by_role("button", name="Copy link")).to_be_focused()
    assert Axe().run(window.page, options={"runOnly": RULES}).response["violations"] == []
    expect(window.page.get_by_text("Link copied")).to_have_count(0)
