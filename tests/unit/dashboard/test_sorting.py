"""A table is sorted by the links in its headers: all of its rows, in the page's address."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from csat.bigquery.query import Rows
from csat.reporting import formats
from tests.dashboard_page import OpenPage, Seen
from tests.unit.dashboard.canned import CannedWarehouse


def sorted_headers(seen: Seen, caption: str) -> dict[str, str]:
    """The direction of each header that says one, of the table whose caption starts with this text."""
    [head] = re.findall(rf"<caption[^>]*>{caption}.*?</caption><thead>(.*?)</thead>", seen.html)
    return {
        re.sub("<.*?>", "", text): state for state, text in re.findall(r'<th [^>]*aria-sort="(\w+)">(.*?)</th>', head)
    }


def header_links(seen: Seen, caption: str) -> dict[str, dict[str, list[str]]]:
    """The filters that each header of a table leads to, by its text."""
    [head] = re.findall(rf"<caption[^>]*>{caption}.*?</caption><thead>(.*?)</thead>", seen.html)
    found = re.findall(r'<a href="(.*?)"[^>]*>(.*?)</a>', head)
    return {re.sub("<.*?>| [▲▼]", "", text): parse_qs(urlsplit(unescape(target)).query) for target, text in found}


def names(seen: Seen, caption: str, column: int = 0) -> list[str]:
    return [row[column].splitlines()[0] for row in seen.table(caption)]


def test_the_leaderboard_is_sorted_over_all_pages(page: OpenPage, canned: CannedWarehouse) -> None:
    ranked = [row for row in canned.agents if row["is_ranked"]]
    lowest = [row["agent_name"] for row in sorted(ranked, key=lambda row: row["csat_rate"])]
    first, second = (names(page("agents", sort="csat_rate", page=number), "Ranked agents", 1) for number in "12")
    assert first + second == lowest[:50]


def test_a_header_says_its_direction_and_leads_to_the_other(page: OpenPage) -> None:
    plain = page("agents", page="2", search="a", window="7d")
    assert sorted_headers(plain, "Ranked agents") == {"Rank ▲": "ascending"}
    links = header_links(plain, "Ranked agents")
    assert links["CSAT"] == {"search": ["a"], "window": ["7d"], "sort": ["-csat_rate"]}
    assert links["Rank"]["sort"] == ["-leaderboard_rank"]
    by_csat = page("agents", sort="-csat_rate")
    assert sorted_headers(by_csat, "Ranked agents") == {"CSAT ▼": "descending"}
    assert header_links(by_csat, "Ranked agents")["CSAT"]["sort"] == ["csat_rate"]
    assert "sort" not in header_links(by_csat, "Ranked agents")["Rank"]
    assert "interval" not in header_links(plain, "Ranked agents")


@pytest.mark.parametrize(
    ("name", "filters", "caption", "column"),
    [
        ("agents", {"sort": "-nothing"}, "Ranked agents", "Rank ▲"),
        ("agents", {"sort": "-attention"}, "Ranked agents", "Rank ▲"),
        ("agents", {"sort": "attention", "list": "Not yet ranked"}, "Not yet ranked agents", "Needed ▲"),
        ("categories", {"sort": "agent_name"}, "Categories", "Responses ▼"),
        ("over_time", {"sort": "part"}, "Responses over time", "Day ▼"),
    ],
)
def test_an_unknown_order_is_refused_with_a_message(
    page: OpenPage, name: str, filters: dict[str, str], caption: str, column: str
) -> None:
    seen = page(name, **filters)
    assert f"This table has no order '{filters['sort']}'. Remove it from the address." in seen.text
    assert list(sorted_headers(seen, caption)) == [column]


def test_another_list_of_agents_has_its_own_order(page: OpenPage) -> None:
    seen = page("agents", sort="-tier")
    seen.app.button_group(key="list").set_value("Not yet ranked").run()
    assert "sort" not in seen.app.query_params
    assert list(sorted_headers(seen, "Not yet ranked agents")) == ["Needed ▲"]


def test_agents_that_need_attention_come_first(page: OpenPage, canned: CannedWarehouse) -> None:
    canned.agents[41] |= {"csat_difference": None, "csat_difference_low": None, "csat_difference_high": None}
    for place in (10, 40, 59):
        canned.agents[place] |= {"csat_difference_high": -0.001}
    seen = page("agents", sort="attention")
    tested = [row for row in canned.agents if row["is_ranked"] and row["csat_difference"] is not None]
    flagged = [row for row in tested if row["csat_difference_high"] < 0]
    first = sorted(flagged, key=lambda row: -row["dissatisfied_count"])
    assert len(first) >= 3
    assert names(seen, "Ranked agents", 1)[: len(first)] == [row["agent_name"] for row in first]
    assert "Agents that need attention first · Default order" in seen.text
    assert (
        f"{len(first)} of {len(tested)} ranked agents are below; "
        f"by chance alone it would be about {len(tested) / 40:.1f}."
        in [re.sub(r"^.*responses\. ", "", caption.value) for caption in seen.app.caption]
    )
    assert sorted_headers(seen, "Ranked agents") == {}


def test_categories_that_dropped_come_first(page: OpenPage, canned: CannedWarehouse) -> None:
    rows: Rows = canned.rows_of("categories")
    for row in rows:
        row |= {"is_significant": row["category"] in ("Others", "Returns"), "csat_change": -0.1}
    rows[1]["csat_change"] = 0.1  # Returns
    canned.changed["categories"] = lambda **_: rows
    seen = page("categories", sort="attention")
    most_dissatisfied = sorted(rows, key=lambda row: (row["category"] != "Others", -row["dissatisfied_count"]))
    assert names(seen, "Categories") == [row["category"] for row in most_dissatisfied]


def test_each_table_of_a_page_has_its_own_order(page: OpenPage) -> None:
    seen = page("categories", category="Returns", sort="category", parts="sub_category")
    assert names(seen, "Sub-categories") == sorted(names(seen, "Sub-categories"))
    assert unescape(seen.html).count("categories?sort=category&window=28d") == 1  # back to all categories
    cases = page("agents", agent="agent-0001", sort="tier", cases="-csat_rate")
    rates = [float(row[2].removesuffix(" %")) for row in cases.table("The agent's responses")]
    assert rates == sorted(rates, reverse=True)
    assert names(page("pipeline", messages="-outcome"), "Messages by outcome") == ["not UTF-8", "accepted"]
    builds = page("pipeline", builds="built_at")
    assert [one.proto.expanded for one in builds.app.expander] == [True]
    assert builds.table("Mart builds")[0][0] != page("pipeline").table("Mart builds")[0][0]


def test_a_sorted_table_of_buckets_is_open_and_sorted_before_it_is_cut(page: OpenPage, canned: CannedWarehouse) -> None:
    since = str(canned.last - timedelta(days=5))
    seen = page("over_time", grain="hour", since=since, sort="bucket")
    assert [one.proto.expanded for one in seen.app.expander] == [True]
    assert names(seen, "Responses over time")[0] == f"{formats.day(canned.last - timedelta(days=5))}, 00:00"
    assert len(seen.table("Responses over time")) == 60


@pytest.mark.parametrize("parameter", ["path", "text", "hint"])
def test_a_parameter_that_no_page_has_is_ignored(page: OpenPage, parameter: str) -> None:
    seen = page("agents", **{parameter: "x"})
    assert list(sorted_headers(seen, "Ranked agents")) == ["Rank ▲"]
