"""What the models declare of themselves, read from dbt's manifest."""

from typing import Any

import pytest
from pydantic import ValidationError

from csat.marts.manifest import ReconciledMart, published_marts, reconciled_marts


def node(name: str, meta: dict[str, Any], kind: str = "model") -> dict[str, Any]:
    columns: dict[str, Any] = {"response_date": {}, "response_count": {}}
    folder = "intermediate" if name.startswith("int_") else "marts"
    names = {"alias": name, "fqn": ["csat", folder, name]}
    return names | {"resource_type": kind, "columns": columns, "config": {"meta": meta}}


def manifest(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"nodes": {one["alias"]: one for one in nodes}}


def test_the_reconciled_marts_are_those_that_declare_it_with_windows_last() -> None:
    ranking = {"date": "ranking_date", "windows": True, "where": "sub_category is null"}
    found = reconciled_marts(
        manifest(
            node("a_ranking", {"reconciled": ranking, "published": True}),
            node("agg_daily", {"reconciled": {"date": "response_date"}}),
            node("int_agents", {"reconciled": {"date": "response_date"}}),
            node("dim_agents", {}),
            node("a_test", {"reconciled": {"date": "response_date"}}, kind="test"),
        )
    )
    columns = frozenset({"response_date", "response_count"})
    assert found == [
        ReconciledMart(name="agg_daily", columns=columns, date="response_date"),
        ReconciledMart(name="int_agents", dataset="candidate", columns=columns, date="response_date"),
        ReconciledMart(
            name="a_ranking", columns=columns, date="ranking_date", windows=True, where="sub_category is null"
        ),
    ]


def test_a_misspelt_declaration_is_an_error() -> None:
    with pytest.raises(ValidationError, match="date_column"):
        reconciled_marts(manifest(node("agg_daily", {"reconciled": {"date_column": "response_date"}})))


def test_the_published_marts_are_those_that_declare_it() -> None:
    nodes = [node("b", {"published": True}), node("a", {"published": True}), node("c", {"published": False})]
    assert published_marts(manifest(*nodes)) == ["a", "b"]
