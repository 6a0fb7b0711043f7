"""Reading dbt's results, and the rows that are stored."""

import json
from pathlib import Path
from typing import Any

import pytest

from csat.bigquery.tables import OPS_SCHEMAS
from csat.contract.settings import Settings
from csat.marts import results as dbt_results
from csat.marts.results import read_results, record_results

MODEL = {
    "unique_id": "model.csat.agent_leaderboard.v1",
    "status": "success",
    "timing": [
        {"name": "compile", "started_at": "2026-11-20T10:00:01Z", "completed_at": "2026-11-20T10:00:02Z"},
        {"name": "execute", "started_at": "2026-11-20T10:00:02Z", "completed_at": "2026-11-20T10:00:04Z"},
    ],
    "execution_time": 3.00049,
    "message": "MERGE (7 rows, 9 processed)",
    "failures": None,
    "adapter_response": {"rows_affected": 7, "bytes_processed": 9, "bytes_billed": 10, "slot_ms": 1},
}
TEST = {
    "unique_id": "test.csat.agent_leaderboard_rules_hold.abc",
    "status": "fail",
    "timing": [],
    "execution_time": 0.5,
    "message": "Got 2 results, configured to fail if != 0" + "!" * 2_000,
    "failures": 2,
    "adapter_response": {},
}
SKIPPED = MODEL | {"unique_id": "model.csat.late", "status": "skipped", "timing": [], "message": None}
EXPOSURE = MODEL | {"unique_id": "exposure.csat.report"}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    results = {"metadata": {"invocation_id": "i1"}, "results": [MODEL, TEST, SKIPPED, EXPOSURE]}
    manifest = {"nodes": {TEST["unique_id"]: {"attached_node": "model.csat.agent_leaderboard.v1"}}}
    (tmp_path / "run_results.json").write_text(json.dumps(results))
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_results_count_models_and_tests_and_name_failures(target: Path) -> None:
    result = read_results(target)
    assert (result.invocation_id, result.model_count, result.test_count) == ("i1", 2, 1)
    assert result.failed == ("agent_leaderboard_rules_hold",)


@pytest.mark.parametrize("status", ["success", "pass", "warn", "no-op", "skipped"])
def test_these_statuses_are_no_failure(target: Path, status: str) -> None:
    document = {"metadata": {"invocation_id": "i1"}, "results": [MODEL | {"status": status}]}
    (target / "run_results.json").write_text(json.dumps(document))
    assert read_results(target).failed == ()


def test_rows_are_stored_once_and_have_the_columns_of_their_tables(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: dict[str, Any] = {}
    monkeypatch.setattr(
        dbt_results, "append_rows", lambda _, table, rows, job_id: stored.update({table: (job_id, rows)})
    )
    warehouse: Any = Settings(_env_file=None)
    record_results(warehouse, read_results(target), is_full_refresh=True)
    job_id, runs = stored["dbt_runs"]
    assert job_id == "dbt_runs_i1"
    assert runs[0] == {
        "build_id": "i1",
        "node_id": "model.csat.agent_leaderboard.v1",
        "model": "agent_leaderboard",
        "status": "success",
        "is_full_refresh": True,
        "started_at": "2026-11-20T10:00:01Z",
        "seconds": 3.0,
        "rows_affected": 7,
        "bytes_processed": 9,
        "bytes_billed": 10,
        "message": "MERGE (7 rows, 9 processed)",
    }
    job_id, [test] = stored["dbt_tests"]
    assert job_id == "dbt_tests_i1"
    assert (test["test"], test["model"], test["failures"]) == ("agent_leaderboard_rules_hold", "agent_leaderboard", 2)
    assert (test["started_at"], len(test["message"])) == (None, 1_000)
    for table, (_, rows) in stored.items():
        fields = json.loads((OPS_SCHEMAS / f"{table}.json").read_text())
        assert [set(row) for row in rows] == [{field["name"] for field in fields}] * len(rows)
