"""What a build replaces in the marts that readers see."""

from typing import Any

from csat.marts.manifest import CandidateTable, candidate_tables
from csat.marts.publish import replacement, transaction

DATES = ("date '2026-01-01'", "date '2026-01-02'")
TABLE = CandidateTable(
    name="agg_daily", columns=("response_date", "response_count"), partition_column="response_date", partitions=DATES
)


def node(name: str, materialized: str, folder: str = "marts", **config: Any) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "fqn": ["csat", folder, name],
        "columns": {"response_date": {}, "response_count": {}},
        "config": {"materialized": materialized, **config},
    }


def test_the_candidates_are_the_marts_that_the_run_built_as_tables() -> None:
    partition = {"field": "response_date", "data_type": "date"}
    nodes = [
        node("agg_daily", "incremental", partition_by=partition, partitions=list(DATES)),
        node("dim_agents", "table", partition_by=None),
        node("pipeline_health", "view"),
        node("int_agents", "incremental", folder="intermediate"),
        node("not_built", "table"),
    ]
    found = candidate_tables(
        {"nodes": {one["name"]: one for one in nodes}}, {"agg_daily", "dim_agents", "pipeline_health", "int_agents"}
    )
    assert found == [TABLE, CandidateTable(name="dim_agents", columns=("response_date", "response_count"))]


def test_only_the_dates_of_the_build_are_replaced() -> None:
    text = replacement(TABLE, is_whole=False).text
    condition = "where response_date in (date '2026-01-01', date '2026-01-02')"
    assert text.count(condition) == 2
    assert "insert into marts.agg_daily (response_date, response_count)" in text


def test_all_rows_are_replaced_where_the_mart_is_whole_or_has_no_partitions() -> None:
    for query in (
        replacement(TABLE, is_whole=True),
        replacement(TABLE.model_copy(update={"partitions": ()}), is_whole=False),
    ):
        assert query.text.count("where true") == 2


def test_the_record_of_the_build_is_in_the_same_transaction_as_its_rows() -> None:
    text = transaction([replacement(TABLE, is_whole=True)]).text
    assert text.startswith("begin transaction;\nselect if(")  # first the lease: without it nothing is replaced
    assert text.index("ops.build_lease") < text.index("delete from marts.agg_daily")
    assert text.rstrip().endswith("commit transaction;")
    assert text.index("delete from marts.agg_daily") < text.index("insert into ops.mart_builds") < text.rindex("commit")
