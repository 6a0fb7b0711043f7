"""What the models of this project declare: which are reconciled, and which are published."""

from typing import Any

import pytest

from csat.contract import landing
from csat.contract.settings import MAX_DAYS_OLD, ROOT
from csat.marts.differences import COMPARED_COLUMNS
from csat.marts.manifest import published_marts, reconciled_marts


def test_the_reconciled_marts_are_all_but_the_facts_the_agents_and_the_view(manifest: dict[str, Any]) -> None:
    assert {(mart.name, mart.date, mart.has_windows) for mart in reconciled_marts(manifest)} == {
        ("agent_leaderboard", "leaderboard_date", True),
        ("agg_agent_daily", "response_date", False),
        ("agg_category_daily", "response_date", False),
        ("agg_response_hourly", "response_date", False),
        ("category_ranking", "ranking_date", True),
        ("int_agents_dated", "response_date", False),
        ("response_series", "response_date", False),
    }


def test_what_is_the_customers_is_in_the_facts_only_where_the_reconciliation_compares_it(
    manifest: dict[str, Any],
) -> None:
    customers = {column.name for column in landing.CUSTOMER_COLUMNS}
    tables = {
        node["name"]: node["columns"].keys() for node in manifest["nodes"].values() if node["fqn"][1] != "staging"
    }
    found = {name: columns & customers for name, columns in tables.items() if columns & customers}
    assert found == {"fct_survey_responses": {column.name for column in COMPARED_COLUMNS}}


def test_the_published_marts_are_those_that_a_dashboard_shows_by_date(manifest: dict[str, Any]) -> None:
    assert published_marts(manifest) == ["agent_leaderboard", "category_ranking", "response_series"]


@pytest.mark.parametrize(
    ("argument", "without"),
    [
        ("keys", set()),
        ("rules", set()),
        ("totals", {"category_ranking", "dim_agents", "fct_survey_responses", "pipeline_health"}),
    ],
)
def test_each_table_and_view_of_the_marts_declares_what_holds(
    manifest: dict[str, Any], argument: str, without: set[str]
) -> None:
    nodes = manifest["nodes"].values()
    models = {
        node["name"]
        for node in nodes
        if node["resource_type"] == "model"
        and node["fqn"][1] != "staging"
        and node["config"]["materialized"] != "ephemeral"
    }
    tests = [node for node in nodes if node["resource_type"] == "test"]
    assert {node["test_metadata"]["name"] for node in tests} == {"rules_hold"}
    declared = {node["attached_node"].split(".")[2] for node in tests if node["test_metadata"]["kwargs"].get(argument)}
    assert declared == models - without


@pytest.mark.parametrize(
    "statement",
    [
        "dbt/models/staging/stg_landed_messages.sql",
        "dbt/models/staging/stg_survey_response_messages.sql",
        "csat/marts/sql/latest_response.sql",
    ],
)
def test_what_no_setting_of_the_stream_accepts_is_left_out(statement: str) -> None:
    limit = f"survey_answered_at >= timestamp_sub(ingested_at, interval {MAX_DAYS_OLD} day)"
    assert limit in (ROOT / statement).read_text()
