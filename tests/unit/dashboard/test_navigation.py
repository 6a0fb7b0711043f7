"""The bar of pages, and links that keep the filters of a view."""

import re
from html import unescape

from streamlit.testing.v1 import AppTest

from csat.contract.settings import ROOT
from csat.dashboard.serve import document, security_policy
from tests.dashboard_page import OpenPage, Seen
from tests.unit.dashboard.canned import CannedWarehouse

APP = str(ROOT / "csat" / "dashboard" / "app.py")


def links(seen: Seen) -> dict[str, str]:
    """The address of each link of the page by its text."""
    found = re.findall('<a href="(.*?)".*?>(.*?)</a>', seen.html)
    return {re.sub("<.*?>", "", text): unescape(target) for target, text in found}


def test_pages_are_plain_links_that_keep_the_period(canned: CannedWarehouse) -> None:
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["window"] = "7d"
    found = Seen(app.run())
    assert not app.exception
    assert list(links(found).items())[:5] == [
        ("Overview", "./?window=7d"),
        ("Agents", "agents?window=7d"),
        ("Categories", "categories?window=7d"),
        ("Over time", "over-time"),
        ("Pipeline", "pipeline"),
    ]
    assert re.findall('aria-current="page">(.*?)</a>', found.html) == ["Overview"]


def test_all_agents_returns_to_the_same_list(page: OpenPage) -> None:
    filters = {"window": "7d", "search": "a", "page": "2", "team": "Supervisor 1"}
    listed = page("agents", **(filters | {"page": "1"}))
    name, target = next((name, target) for name, target in links(listed).items() if "agent=" in target)
    assert "search=a" in target
    assert "team=Supervisor+1" in target
    back = links(page("agents", agent="agent-0001", **filters))["← All agents"]
    assert back == "agents?window=7d&search=a&page=2&team=Supervisor+1"
    assert name


def test_all_categories_returns_to_the_same_order(page: OpenPage) -> None:
    assert "sort=csat_rate" in links(page("categories", sort="csat_rate"))["Returns"]
    assert links(page("categories", sort="csat_rate", category="Returns"))["← All categories"] == (
        "categories?sort=csat_rate&window=28d"
    )


def test_the_overview_links_to_an_agent_in_its_period(page: OpenPage) -> None:
    assert "agents?agent=agent-0000&window=7d" in links(page("overview", window="7d")).values()


def test_the_document_runs_our_scripts_and_the_policy_lets_only_them() -> None:
    html = document()
    assert "popstate" in html
    assert "navigator.clipboard" in html
    assert security_policy(html).count("'sha256-") == html.count("<script>")


def test_every_page_copies_its_link(page: OpenPage) -> None:
    for name in ("overview", "runbook"):
        assert '<button type="button">Copy link</button><span role="status"></span>' in page(name).html
