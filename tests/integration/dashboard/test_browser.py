"""The dashboard as its viewers see it: a real server, a real Chromium, the real emulator."""

import base64
import csv
import re
from datetime import UTC, datetime

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from csat.local.ports import free_port
from tests.integration.dashboard.browser import PATHS, RULES, Server
from tests.integration.dashboard.conftest import EVIL, Emulator, OpenViewer
from tests.integration.dashboard.history import live
from tests.integration.marts.conftest import Marts

pytestmark = pytest.mark.integration


def test_figures_are_those_of_the_marts(viewer: OpenViewer, marts: Marts) -> None:
    [counted] = marts.execute(
        "select count(*) as responses, countif(is_satisfied) as satisfied from `{table}` "
        "where response_date > date_sub((select max(response_date) from `{table}`), interval 28 day)",
        "marts",
        "fct_survey_responses",
    )
    window = viewer()
    window.open()
    expect(window.card("CSAT, 28 days")).to_have_text(
        f"{counted['satisfied'] / counted['responses']:.1%}".replace("%", "\u202f%")
    )
    expect(window.card("Dissatisfied responses")).to_have_text(f"{counted['responses'] - counted['satisfied']:,}")


def test_a_view_can_be_shared_as_a_link(viewer: OpenViewer) -> None:
    mine = viewer()
    mine.open("agents")
    mine.choose("7d")
    mine.expect_url("window=7d")
    mine.choose("Not yet ranked")
    mine.page.get_by_label("Search agent").fill("an")
    mine.page.get_by_label("Search agent").press("Enter")
    mine.expect_url("search=an")
    mine.wait()
    mine.page.wait_for_timeout(500)
    shown = mine.rows("Not yet ranked agents, 7 days").all_inner_texts()
    colleague = viewer()
    colleague.open(mine.page.url.removeprefix(f"{mine.url}/"))
    expect(colleague.page.get_by_label("Search agent")).to_have_value("an")
    assert shown
    assert colleague.rows("Not yet ranked agents, 7 days").all_inner_texts() == shown


def test_dates_and_choices_are_in_the_link(viewer: OpenViewer) -> None:
    window = viewer()
    day = datetime.now(UTC).date()
    window.open(f"over-time?grain=hour&since={day}&until={day}&channel=Inbound")
    expect(window.page.get_by_role("radio", name="hour", exact=True)).to_be_checked()
    expect(window.page.get_by_role("combobox", name="Channel")).to_have_value("Inbound")


def test_invalid_filters_in_the_link_are_ignored(viewer: OpenViewer) -> None:
    window = viewer()
    window.open("agents?window=99d&page=100000&team=Nobody&list=x")
    expect(window.rows("Ranked agents, 28 days")).to_have_count(25)


def test_names_from_messages_load_and_run_nothing(viewer: OpenViewer) -> None:
    window = viewer()
    window.open(f"agents?search={EVIL[:4]}")
    expect(window.rows("Ranked agents")).to_have_count(1)
    expect(window.rows("Ranked agents").get_by_role("link")).to_have_text(EVIL)
    window.rows("Ranked agents").get_by_role("link").click()
    window.wait()
    expect(window.page.get_by_role("heading", name=EVIL)).to_be_visible()
    window.open("agents")
    window.page.get_by_role("combobox", name="Team (supervisor)").fill(EVIL[:4])
    expect(window.page.get_by_role("option", name=EVIL)).to_be_visible()
    assert window.page.evaluate("window.wasRun === undefined")


def test_rows_are_downloaded_as_csv(viewer: OpenViewer, marts: Marts) -> None:
    window = viewer()
    window.open("categories")
    with window.page.expect_download() as saved:
        window.page.get_by_role("button", name="CSV", exact=True).click()
    assert saved.value.suggested_filename == "csat-categories-28d.csv"
    with saved.value.path().open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    shown = window.rows("Categories").first.inner_text().splitlines()
    assert rows[0]["category"] == shown[0].split("\t")[0]
    [count] = marts.execute(
        "select count(*) as n from `{table}` where window_id = '28d' and sub_category is null "
        "and ranking_date = (select max(ranking_date) from `{table}`)",
        "marts",
        "category_ranking",
    )
    assert len(rows) == count["n"]


def test_a_click_is_one_view_and_back_shows_the_view_before(viewer: OpenViewer) -> None:
    window = viewer()
    window.open()
    entries = window.page.evaluate("history.length")

    def expect_view(address: str, option: str) -> None:
        nonlocal entries
        entries += 1
        window.expect_url(address)
        window.wait()
        expect(window.page.get_by_role("radio", name=option, exact=True)).to_be_checked()
        assert window.page.evaluate("history.length") == entries

    window.page.get_by_role("link", name="Agents", exact=True).click()
    expect_view("/agents", "28d")
    window.choose("7d")
    expect_view("/agents?window=7d", "7d")
    window.choose("Not yet ranked")
    expect(window.page).to_have_url(re.compile("list=Not"))
    expect_view("window=7d", "Not yet ranked")
    shown = window.rows("Not yet ranked agents, 7 days").all_inner_texts()
    window.rows("Not yet ranked").first.get_by_role("link").click()
    expect(window.rows("The agent's responses").first).to_be_visible()
    entries += 1
    window.choose("all")
    expect_view("window=all", "all")
    window.page.go_back()
    expect(window.page.get_by_role("radio", name="7d", exact=True)).to_be_checked()
    window.page.go_back()
    expect(window.rows("Not yet ranked agents, 7 days")).to_have_text(shown, use_inner_text=True)
    window.page.go_back()
    expect(window.rows("Ranked agents, 7 days").first).to_be_visible()
    window.page.go_back()
    expect(window.rows("Ranked agents, 28 days").first).to_be_visible()
    window.page.go_back()
    expect(window.page.get_by_role("heading", name="Overview")).to_be_visible()


def test_an_address_that_is_corrected_adds_no_view(viewer: OpenViewer) -> None:
    window = viewer()
    window.open()
    entries = window.page.evaluate("history.length")
    window.open("agents?window=99d")
    expect(window.rows("Ranked agents, 28 days").first).to_be_visible()
    assert window.page.evaluate("history.length") == entries + 1


def test_the_tab_has_the_name_of_the_view(viewer: OpenViewer) -> None:
    window = viewer()
    for view, title in (("", "Overview"), ("pipeline", "Pipeline"), ("categories?category=Returns", "Returns")):
        window.open(view)
        expect(window.page).to_have_title(f"{title} · CSAT")


def test_a_new_response_shows_without_a_reload(viewer: OpenViewer, marts: Marts) -> None:
    window = viewer()
    window.open()
    window.page.evaluate("window.isSame = true")
    before = int(window.card("Responses today").inner_text().replace(",", ""))
    newcomer = {"agent_id": "newcomer", "agent_name": "Newcomer"}
    marts.land([row | newcomer for row in live(7, datetime.now(UTC), first=20_000, seed=2)])
    marts.build()
    expect(window.card("Responses today")).to_have_text(f"{before + 7:,}")
    assert window.page.evaluate("window.isSame")


def test_old_data_are_shown_as_stale(viewer: OpenViewer, marts: Marts, browser: Browser) -> None:
    settings = marts.settings.model_copy(update={"freshness_minutes": 0.01, "dashboard_port": free_port()})
    strict = Server(settings)
    try:
        window = viewer(url=strict.url)
        window.open()
        expect(window.page.locator(".badge-stale")).to_contain_text("Stale")
        window.page.get_by_role("link", name="See the pipeline").click()
        expect(window.page).to_have_url(re.compile("/pipeline$"))
        window.page.close()
    finally:
        strict.stop()


def test_the_dashboard_keeps_its_figures_while_the_warehouse_is_unreachable(
    viewer: OpenViewer, emulator: Emulator, server: Server
) -> None:
    window, other = viewer(), viewer()
    window.open()
    other.open("agents")
    csat = window.card("CSAT, 28 days").inner_text()
    emulator.stop()
    try:
        expect(window.page.locator(".badge-offline")).to_contain_text("Not connected")
        expect(window.page.get_by_text("These are the last figures read")).to_be_visible()
        expect(window.page.get_by_text("csat status").first).to_be_visible()
        expect(window.card("CSAT, 28 days")).to_have_text(csat)
        other.choose("all")  # not cached yet
        expect(other.page.get_by_text("the page loads as soon as the connection is back")).to_be_visible()
        assert Axe().run(other.page, options={"runOnly": RULES}).response["violations"] == []
    finally:
        emulator.start()
    expect(window.page.locator(".badge-fresh")).to_be_visible()
    expect(window.page.get_by_text("These are the last figures read")).to_have_count(0)
    expect(other.rows("Ranked agents, All time").first).to_be_visible()
    assert "Traceback" not in server.log


def test_the_server_accepts_no_other_host_name_and_sends_its_policy(server: Server) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"sixteen bytes...").decode(),
    }
    stream = f"{server.url}/_stcore/stream"
    foreign_origins = [
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Host": "evil.example", "Origin": server.url},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},  # another server of this machine, maybe another user's
    ]
    for foreign in foreign_origins:
        assert requests.get(stream, headers=upgrade | foreign, timeout=5).status_code == 403
        for path in (*PATHS, "_stcore/health"):
            assert requests.get(f"{server.url}/{path}", headers=foreign, timeout=5).status_code == 403
    for path in PATHS:
        headers = requests.get(f"{server.url}/{path}", timeout=5).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"], path
