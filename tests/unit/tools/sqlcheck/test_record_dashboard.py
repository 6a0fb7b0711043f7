import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import ROOT
from tests.unit.tools.sqlcheck.conftest import Check


@pytest.fixture
def recording(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "dashboard.json"
    subprocess.run([sys.executable, "-m", "tools.sqlcheck.record_dashboard", path], cwd=ROOT, timeout=120, check=True)
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_recording_contains_the_queries_of_the_dashboard(recording: dict[str, Any]) -> None:
    statements = {statement["origin"]: statement["sql"] for statement in recording["statements"]}
    assert "`csat-local.csat_marts.agent_leaderboard`" in statements["csat/reporting/sql/leaderboard.sql"]
    assert "from `csat-local.csat_marts.response_series`" in statements["csat/reporting/report.yaml, responses"]
    assert recording["sources"]["csat-local.csat_ops.mart_builds"] == "mart_builds"


def test_check_finds_the_tables_of_an_earlier_recording(recording: dict[str, Any], check: Check) -> None:
    first = {
        "project": "csat-local",
        "statements": [{"origin": "first", "sql": "create table `csat-local.csat_marts.a` as select 1 as x"}],
    }
    second = recording | {
        "statements": [
            {"origin": "good", "sql": "select x from `csat-local.csat_marts.a` where x = @x"},
            {"origin": "builds", "sql": "select built_at from `csat-local.csat_ops.mart_builds`"},
            {"origin": "bad", "sql": "select y from `csat-local.csat_marts.a`"},
        ]
    }
    done = check(first, second)
    assert done.stdout.splitlines()[0].startswith("bad: Unrecognized name: y")
    assert done.stdout.splitlines()[-1] == "4 statements checked, 1 refused"
    assert done.returncode == 1
