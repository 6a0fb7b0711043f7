"""The results of dbt, read from its artifacts and stored in csat_ops.dbt_runs and csat_ops.dbt_tests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from csat.bigquery.client import Warehouse
from csat.bigquery.tables import append_rows

RUNS, TESTS = "dbt_runs", "dbt_tests"
_PASSED = {"success", "pass", "warn", "no-op"}
_SKIPPED = "skipped"
_MAX_MESSAGE_LENGTH = 1_000


@dataclass(frozen=True)
class NodeResult:
    """One model or test. `model` is its name, or for a test, that of the tested model. Times are ISO 8601 in UTC.

    `sql` is the compiled statement: of a test, the query for the rows that it finds.
    """

    node_id: str
    name: str
    model: str
    status: str
    started_at: str | None
    seconds: float
    message: str | None
    failures: int | None
    response: Mapping[str, Any]
    sql: str | None = None

    @property
    def is_test(self) -> bool:
        """Whether it tests a model."""
        return self.node_id.startswith("test.")

    @property
    def has_failed(self) -> bool:
        """Whether it failed itself; its dependents are skipped."""
        return self.status not in {*_PASSED, _SKIPPED}


@dataclass(frozen=True)
class DbtResult:
    """The results of one dbt invocation."""

    invocation_id: str
    nodes: tuple[NodeResult, ...]

    @property
    def model_count(self) -> int:
        """Number of models, with any status."""
        return sum(not node.is_test for node in self.nodes)

    @property
    def test_count(self) -> int:
        """Number of tests, with any status."""
        return sum(node.is_test for node in self.nodes)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the models and tests that failed."""
        return tuple(node.name for node in self.nodes if node.has_failed)


def read_results(target: Path) -> DbtResult:
    """The results of the last invocation, from the files in dbt's target folder."""
    document = json.loads((target / "run_results.json").read_text())
    models = _tested_models(target / "manifest.json")
    nodes = tuple(
        _node(result, models) for result in document["results"] if result["unique_id"].startswith(("model.", "test."))
    )
    return DbtResult(document["metadata"]["invocation_id"], nodes)


def record_results(warehouse: Warehouse, result: DbtResult, *, is_full_refresh: bool) -> None:
    """Append a row for each model and each test; a repeated call has no effect. Raises WarehouseError."""
    build = {"build_id": result.invocation_id}
    runs = [build | _run_row(node, is_full_refresh) for node in result.nodes if not node.is_test]
    tests = [build | _test_row(node) for node in result.nodes if node.is_test]
    for table, rows in ((RUNS, runs), (TESTS, tests)):
        if rows:
            append_rows(warehouse, table, rows, job_id=f"{table}_{result.invocation_id}")


def _node(result: Mapping[str, Any], models: Mapping[str, str]) -> NodeResult:
    name = result["unique_id"].split(".")[2]
    message = result["message"]
    return NodeResult(
        node_id=result["unique_id"],
        name=name,
        model=models.get(result["unique_id"], name),
        status=result["status"],
        started_at=_started_at(result["timing"]),
        seconds=round(result["execution_time"], 3),
        message=message,
        failures=result["failures"],
        response=result["adapter_response"],
        sql=result.get("compiled_code"),
    )


def _started_at(timing: Sequence[Mapping[str, Any]]) -> str | None:
    return min((step["started_at"] for step in timing if step["started_at"]), default=None)


def _tested_models(manifest: Path) -> dict[str, str]:
    """Names of the tested models, by the id of the test."""
    nodes = json.loads(manifest.read_text())["nodes"] if manifest.exists() else {}
    attached = {node_id: node.get("attached_node") for node_id, node in nodes.items()}
    return {test: model.split(".")[2] for test, model in attached.items() if model}


def _shared(node: NodeResult) -> dict[str, Any]:
    return {
        "node_id": node.node_id,
        "model": node.model,
        "status": node.status,
        "started_at": node.started_at,
        "seconds": node.seconds,
        "message": node.message[:_MAX_MESSAGE_LENGTH] if node.message else None,
    }


def _run_row(node: NodeResult, is_full_refresh: bool) -> dict[str, Any]:
    figures = {name: node.response.get(name) for name in ("rows_affected", "bytes_processed", "bytes_billed")}
    return _shared(node) | figures | {"is_full_refresh": is_full_refresh}


def _test_row(node: NodeResult) -> dict[str, Any]:
    return _shared(node) | {"test": node.name, "failures": node.failures}
