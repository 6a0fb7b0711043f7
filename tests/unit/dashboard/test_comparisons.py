"""No page compares with a period that the marts hold in part, or calls it significant."""

from datetime import timedelta
from typing import Any

import pytest

from tests.dashboard_page import OpenPage
from tests.unit.dashboard.canned import CannedWarehouse

NAMES = ("overview", "agents", "categories")


# What the marts leave empty where one of the windows has too few responses, and without a complete previous window
UNTESTED: dict[str, Any] = dict.fromkeys(("csat_change", "csat_change_z", "is_significant"))
_PREVIOUS = ("previous_rank", "rank_change", "previous_response_count", "previous_csat_rate")
UNKNOWN: dict[str, Any] = dict.fromkeys(_PREVIOUS) | UNTESTED


def change(canned: CannedWarehouse, name: str, **columns: Any) -> None:
    """The rows of a query have these values."""
    rows = [row | {column: value for column, value in columns.items() if column in row} for row in canned.rows_of(name)]
    canned.changed[name] = lambda **_: rows


def begin(canned: CannedWarehouse, days: int) -> None:
    """The marts begin so many days before their last date."""
    canned.first = canned.last - timedelta(days=days)


@pytest.mark.parametrize(("days", "is_compared"), [(31, False), (55, False), (56, True)])
def test_a_period_is_compared_with_a_complete_one_only(
    page: OpenPage, canned: CannedWarehouse, days: int, is_compared: bool
) -> None:
    begin(canned, days)
    cards = page("overview").cards
    assert ("vs. the previous 28 days" in cards["CSAT, 28 days"][2]) is is_compared
    assert ("in the previous period" in cards["Dissatisfied responses"][2]) is is_compared
    if not is_compared:
        assert cards["CSAT, 28 days"][2] == cards["Dissatisfied responses"][2] == "no complete previous period"


def test_ranks_and_categories_have_no_change_without_a_complete_period(page: OpenPage, canned: CannedWarehouse) -> None:
    begin(canned, 31)
    for name in ("leaderboard", "categories", "sub_categories"):
        change(canned, name, **UNKNOWN)
    assert {row[0].splitlines()[1] for row in page("agents").table("Ranked agents")} == {"–"}
    assert page("agents", agent="agent-0001").cards["Rank"][2] == "no complete previous period"
    seen = page("categories")
    assert {row[4].strip() for row in seen.table("Categories")} == {"–"}
    assert "The previous 28 days are not complete in the marts" in seen.html
    assert "significant" not in seen.text.lower().replace("significant changes", "")
    assert page("categories", category="Returns").cards["CSAT"][2] == "no responses in a complete previous period"


def test_a_change_needs_enough_responses_in_both_periods(page: OpenPage, canned: CannedWarehouse) -> None:
    change(canned, "categories", previous_response_count=99, **UNTESTED)
    seen = page("categories")
    assert {row[4] for row in seen.table("Categories")} == {"–\ntoo few responses"}
    assert page("categories", category="Returns").cards["CSAT"][2] == "too few responses to compare"


def test_only_changes_that_can_be_tested_count_among_those_expected_by_chance(
    page: OpenPage, canned: CannedWarehouse
) -> None:
    change(canned, "sub_categories", **UNTESTED)
    tested = "Of 6 changes that can be tested, about 0.3 would look significant by chance alone."
    assert [text.value for text in page("categories").app.caption if "by chance" in text.value] == [tested]


def test_a_change_without_a_test_is_not_called_insignificant(page: OpenPage, canned: CannedWarehouse) -> None:
    change(canned, "categories", csat_change_z=None, is_significant=None)
    assert page("categories", category="Returns").cards["CSAT"][2].endswith("in the previous period, not testable")


def test_today_is_compared_with_a_complete_yesterday_only(page: OpenPage, canned: CannedWarehouse) -> None:
    canned.data_up_to = canned.now
    begin(canned, 1)
    assert len(page("overview").cards["Responses today"]) == 2
