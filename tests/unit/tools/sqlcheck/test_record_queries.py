import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import ROOT
from tests.unit.tools.sqlcheck.conftest import Check

# A line of SQL in a longer string
STATEMENT = re.compile(r"^\s*(select|merge into|delete from|insert into)\b(?!\.)[^:=]*$", re.IGNORECASE | re.MULTILINE)


def model(name: str, columns: list[str], reconciled: dict[str, Any]) -> dict[str, Any]:
    """A node of dbt's manifest."""
    config = {"meta": {"reconciled": reconciled}, "materialized": "incremental"}
    names = {"name": name, "alias": name, "fqn": ["csat", "marts", name]}
    return names | {"resource_type": "model", "columns": {key: {} for key in columns}, "config": config}


MANIFEST = {
    "nodes": {
        "a": model("agg_channel_daily", ["response_date", "response_count"], {"date": "response_date"}),
        "b": model("channel_ranking", ["ranking_date", "response_count"], {"date": "ranking_date", "windows": True}),
    }
}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("queries")
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    command = [sys.executable, "-m", "tools.sqlcheck.record_queries", str(folder), str(folder / "queries.json")]
    subprocess.run(command, cwd=ROOT, timeout=120, check=True)
    content: dict[str, Any] = json.loads((folder / "queries.json").read_text())
    return content


@pytest.fixture(scope="module")
def statements(recording: dict[str, Any]) -> dict[str, str]:
    return {statement["origin"]: statement["sql"] for statement in recording["statements"]}


def test_recording_contains_the_queries_with_full_names_of_their_tables(
    recording: dict[str, Any], statements: dict[str, str]
) -> None:
    assert "`csat-local.csat_marts.agent_leaderboard`" in statements["csat/reporting/sql/leaderboard.sql"]
    assert "from `csat-local.csat_marts.response_series`" in statements["csat/reporting/report.yaml, responses"]
    assert "from `csat-local.csat_raw.survey_responses`" in statements["csat/bigquery/sql/landed_offsets.sql"]
    assert recording["sources"]["csat-local.csat_ops.mart_builds"] == "mart_builds"
    assert recording["sources"]["csat-local.csat_raw.survey_responses"] == "survey_responses"


def test_every_sql_file_is_recorded_or_filled(statements: dict[str, str]) -> None:
    files = {str(file.relative_to(ROOT)) for file in (ROOT / "csat").rglob("*.sql")}
    assert len(files) > 30
    filled = {
        "bigquery": {"erase_messages", "erased_dates", "insert_erasures", "naming_messages", "responses_of_id"},
        "marts": {"differing_dates", "differing_responses", "differing_windows", "replace_rows"},
    }
    assert files - statements.keys() == {
        f"csat/{folder}/sql/{name}.sql" for folder, names in filled.items() for name in names
    }
    assert not [sql for sql in statements.values() if "{{" in sql]


def test_recording_compares_every_reconciled_mart(statements: dict[str, str]) -> None:
    assert "`csat-local.csat_marts.agg_channel_daily`" in statements["csat/marts/differences.py, agg_channel_daily"]
    assert "window_id = @window_id" in statements["csat/marts/differences.py, channel_ranking"]


def test_recording_publishes_every_mart(statements: dict[str, str]) -> None:
    for mart in ("agg_channel_daily", "channel_ranking"):
        assert f"delete from `csat-local.csat_marts.{mart}`" in statements["csat/marts/publish.py"]
        assert f"`csat-local.csat_candidate.{mart}`" in statements[f"the published {mart}"]


def test_no_statement_is_a_string_of_python() -> None:
    files = [file for folder in ("csat", "producer", "spark") for file in (ROOT / folder).rglob("*.py")]
    emulator = ROOT / "csat" / "local" / "emulator"  # its statements are DuckDB's
    texts = {str(file.relative_to(ROOT)): file.read_text() for file in files if not file.is_relative_to(emulator)}
    assert [name for name, text in texts.items() if STATEMENT.search(text)] == []


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
