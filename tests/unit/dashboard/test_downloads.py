"""A download holds the rows that the page shows, of one level, with the figures that it shows."""

import pytest

from csat.bigquery.query import Rows
from csat.dashboard.views import agent, agents, categories, over_time, overview, pipeline
from tests.dashboard_page import OpenPage

Saved = dict[str, Rows]


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> Saved:
    """The rows that the buttons of a page save, by the name of the file."""
    found: Saved = {}
    for view in (agent, agents, categories, over_time, overview, pipeline):
        monkeypatch.setattr(view, "download", lambda name, rows, *_: found.update({name: rows}))
    return found


def test_a_list_of_agents_is_saved_without_the_other(page: OpenPage, saved: Saved) -> None:
    page("agents", search="Ames")
    page("agents", list="Not yet ranked", window="7d")
    assert set(saved) == {"csat-agents-ranked-28d", "csat-agents-not-yet-ranked-7d"}
    assert len(saved["csat-agents-ranked-28d"]) > 25
    assert all(row["is_ranked"] and "Ames" in row["agent_name"] for row in saved["csat-agents-ranked-28d"])
    assert not any(row["is_ranked"] for row in saved["csat-agents-not-yet-ranked-7d"])


def test_categories_and_sub_categories_are_two_files(page: OpenPage, saved: Saved) -> None:
    seen = page("categories", sort="csat_rate")
    shown = [row[0] for row in seen.table("Categories")]
    assert [row["category"] for row in saved["csat-categories-28d"]] == shown
    assert all(row["sub_category"] is None for row in saved["csat-categories-28d"])
    assert all(row["sub_category"] for row in saved["csat-sub-categories-28d"])


def test_the_parts_of_a_category_are_saved_in_the_order_shown(page: OpenPage, saved: Saved) -> None:
    seen = page("categories", category="Returns", parts="csat_rate")
    shown = [row[0] for row in seen.table("Sub-categories")]
    assert [row["sub_category"] for row in saved["csat-sub-categories-28d"]] == shown


@pytest.mark.parametrize(
    ("name", "filters", "file"),
    [
        ("overview", {}, "csat-days-28d"),
        ("categories", {}, "csat-categories-28d"),
        ("agents", {}, "csat-agents-ranked-28d"),
        ("agents", {"agent": "agent-0001"}, "csat-agent-agent-0001-28d"),
        ("over_time", {}, "csat-over-time"),
    ],
)
def test_a_file_has_csat_and_its_interval(
    page: OpenPage, saved: Saved, name: str, filters: dict[str, str], file: str
) -> None:
    page(name, **filters)
    row = saved[file][0]
    assert row["csat_rate"] == row["satisfied_count"] / row["response_count"]
    assert row["wilson_low"] <= row["csat_rate"] <= row["wilson_high"]
