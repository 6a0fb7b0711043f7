"""A search says what the list that is not shown holds."""

from tests.dashboard_page import OpenPage
from tests.unit.dashboard.canned import CannedWarehouse


def test_a_search_names_the_matches_of_the_other_list(page: OpenPage, canned: CannedWarehouse) -> None:
    canned.agents[-1]["agent_name"] = "Łukasz Żak"
    seen = page("agents", search="zak lukasz", window="7d")
    assert "No ranked agent matches the filters. Show 1 in the list Not yet ranked" in seen.text
    assert "agents?search=zak+lukasz&amp;window=7d&amp;list=Not+yet+ranked" in seen.html
    rows = page("agents", search="zak lukasz", list="Not yet ranked").table("Not yet ranked agents")
    assert [row[0].splitlines()[0] for row in rows] == ["Łukasz Żak"]


def test_the_list_of_the_unranked_names_ranked_matches(page: OpenPage) -> None:
    seen = page("agents", search="agent-0003", list="Not yet ranked")
    assert "No unranked agent matches the filters. Show 1 in the list Ranked" in seen.text


def test_a_search_without_any_match_says_so(page: OpenPage) -> None:
    assert [info.value for info in page("agents", search="nobody at all").app.info] == ["No agent matches the filters."]
