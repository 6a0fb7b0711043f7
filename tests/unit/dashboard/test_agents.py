"""A search says what the list that is not shown holds; a figure has its interval."""

import re

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


def test_the_difference_from_the_expected_csat_has_its_interval(page: OpenPage, canned: CannedWarehouse) -> None:
    canned.agents[0] |= {"csat_difference": 0.031, "csat_difference_low": -0.012, "csat_difference_high": 0.074}
    assert page("agents").table("Ranked agents")[0][9] == "+3.1 points\n−1.2 to +7.4"
    card = page("agents", agent="agent-0000").cards["CSAT vs. expected"]
    assert card == ("+3.1 points", "95 % interval −1.2 to +7.4", "82.0 % expected for this case mix")


def test_an_agent_whose_cases_no_other_agent_had_has_no_difference(page: OpenPage, canned: CannedWarehouse) -> None:
    names = ("expected_csat_rate", "csat_difference", "csat_difference_low", "csat_difference_high")
    canned.agents[0] |= dict.fromkeys(names)
    assert page("agents").table("Ranked agents")[0][9] == "–"
    card = page("agents", agent="agent-0000").cards["CSAT vs. expected"]
    assert card == ("–", "no other agent had some of these cases")


def test_tiers_are_not_called_groups_without_a_significant_difference(page: OpenPage) -> None:
    [text] = [text.value for text in page("agents").app.caption if "tier" in text.value]
    assert "A tier ends before the first interval that lies wholly below that of its first agent." in text


def test_below_a_long_list_links_lead_to_the_other_pages(page: OpenPage) -> None:
    seen = page("agents", page="2", sort="tier", search="a")
    pager = re.findall(r'<nav class="more".*?</nav>', seen.html)
    assert "".join(pager).count("<nav") == 1
    assert re.findall('href="(.*?)"', pager[0]) == [
        "agents?sort=tier&amp;search=a",
        "agents?page=3&amp;sort=tier&amp;search=a",
    ]
    assert "← Previous page · Page 2 of 3 · Next page →" in seen.text
    assert "Page 1 of 3 · Next page →" in page("agents", page="1").text
    last = page("agents", page="3").text
    assert "← Previous page · Page 3 of 3" in last
    assert "Next page" not in last
    assert "Page 1" not in page("agents", list="Not yet ranked").text
