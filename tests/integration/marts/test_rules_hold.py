"""The test of a table names each rule that is violated, with the number of rows and what was found."""

from collections.abc import Callable

import pytest

from csat.contract.errors import CsatError
from csat.marts import build as marts
from tests.integration.marts.conftest import Marts, published

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def messages(make_marts: Callable[[], Marts]) -> dict[str, str]:
    """The messages of the failed tests of marts of three days whose tables were spoiled."""
    world = published(make_marts())
    for statement, table in [
        ("insert into `{table}` select * from `{table}` where response_date = '2026-11-01'", "int_agents_dated"),
        ("update `{table}` set leaderboard_rank = 1, is_ranked = true where window_id = '7d'", "agent_leaderboard"),
        ("update `{table}` set window_id = '9d' where window_id = '7d'", "category_ranking"),
        ("delete from `{table}` where true", "dim_agents"),
    ]:
        world.execute(statement, "candidate", table)
    with pytest.raises(CsatError, match="dbt failed in"):
        marts.publish_candidate(world.settings, on_progress=world.lines.append)
    rows = world.execute("select * from `{table}` where status = 'fail'", "ops", "dbt_tests")
    return {row["test"]: row["message"] for row in rows}


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ("int_agents_dated_rules_hold", "one row per response_date, agent_id, row_count: 2"),
        ("int_agents_dated_rules_hold", "totals of fct_survey_responses, row_count: 1, found: 2026-11-01 2 for 1"),
        ("agent_leaderboard_rules_hold", "is_ranked = (tier is not null), row_count: 3"),
        ("agent_leaderboard_agrees_with_other_marts", "agent_id is in dim_agents, row_count: 7"),
        ("agent_leaderboard_agrees_with_other_marts", "7d 2026-11-02 2 for none"),
        ("agent_leaderboard_agrees_with_other_marts", "9d 2026-11-01 none for 1"),
        ("category_ranking_rules_hold", "rule: window_id in ('all', '7d', '28d'), row_count: 6"),
    ],
)
def test_message_names_the_rule_the_number_of_rows_and_what_was_found(
    messages: dict[str, str], test: str, found: str
) -> None:
    assert found in messages[test]


def test_tables_that_were_not_spoiled_have_no_failed_test(messages: dict[str, str]) -> None:
    assert messages.keys() == {
        "agent_leaderboard_agrees_with_other_marts",
        "agent_leaderboard_rules_hold",
        "category_ranking_rules_hold",
        "int_agents_dated_rules_hold",
    }
