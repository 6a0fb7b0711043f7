import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import ROOT
from tests.unit.tools.sqlcheck.conftest import Check

PROJECT = """
name: tiny
version: "1.0.0"
profile: tiny
flags: {send_anonymous_usage_stats: false}
"""
PROFILES = """
tiny:
  target: emulator
  outputs:
    emulator: {type: bigquery, method: oauth-secrets, token: none, project: p, dataset: d, threads: 1,
               api_endpoint: "http://127.0.0.1:1"}
"""
MODEL = """
{{ config(materialized='incremental', incremental_strategy='insert_overwrite', on_schema_change='fail',
          partition_by={'field': 'response_date', 'data_type': 'date'}, partitions=["date '2026-01-05'"]) }}
select date(survey_answered_at) as response_date, csat_score / 2 as half_score
from {{ source('raw', 'survey_responses') }}
{% if is_incremental() %} where date(survey_answered_at) = '2026-01-05' {% endif %}
"""
SCHEMA = """
sources: [{name: raw, tables: [{name: survey_responses}]}]
models:
  - name: halves
    config: {contract: {enforced: true}}
    columns:
      - {name: response_date, data_type: date, data_tests: [not_null]}
      - {name: half_score, data_type: float64}
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("project")
    (folder / "models").mkdir()
    for name, text in {
        "dbt_project.yml": PROJECT,
        "profiles.yml": PROFILES,
        "models/halves.sql": MODEL,
        "models/halves.yml": SCHEMA,
    }.items():
        (folder / name).write_text(text)
    command = [sys.executable, "-m", "tools.sqlcheck.record", str(folder / "recording.json"), "--project", str(folder)]
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=240, check=True)
    content: dict[str, Any] = json.loads((folder / "recording.json").read_text())
    return content


def test_recording_holds_the_build_and_the_incremental_run(recording: dict[str, Any]) -> None:
    assert recording["sources"] == {"p.raw.survey_responses": "survey_responses"}
    assert [(statement["origin"], statement["sql"].split()[0]) for statement in recording["statements"]] == [
        ("dbt/models/halves.sql", "select"),
        ("dbt/models/halves.sql", "create"),
        ("dbt/models/halves.yml, test not_null_halves_response_date", "select"),
        ("dbt/models/halves.sql (incremental)", "select"),
        ("dbt/models/halves.sql (incremental)", "create"),
        ("dbt/models/halves.sql (incremental)", "--"),
    ]


def test_recording_holds_the_merge_with_its_partitions(recording: dict[str, Any]) -> None:
    merge = recording["statements"][-1]["sql"]
    assert "merge into `p`.`d`.`halves`" in merge
    assert "date '2026-01-05'" in merge


def test_check_takes_the_recording(recording: dict[str, Any], check: Check) -> None:
    outcome = check(recording)
    assert outcome.stdout == "6 statements checked, 0 refused\n"
    assert outcome.returncode == 0


def test_check_compares_the_columns_of_a_query_with_its_contract(check: Check) -> None:
    query = "select 1 as same, 'a' as other, 2 as extra"
    contract = "select cast(null as int64) as same, cast(null as date) as other, cast(null as date) as missing"
    outcome = check({"project": "p", "statements": [{"origin": "m", "sql": query, "contract": contract}]})
    assert outcome.stdout.splitlines() == [
        "m: Column extra is in the query and not in the contract",
        "m: Column missing is in the contract and not in the query",
        "m: Column other is DATE in the contract, STRING in the query",
        "1 statements checked, 3 refused",
    ]
    assert outcome.returncode == 1


def test_check_names_the_file_of_a_missing_schema(check: Check) -> None:
    outcome = check({"project": "p", "sources": {"p.raw.ghosts": "ghosts"}, "statements": []})
    assert "source ghosts has no schema file: write its fields to " in outcome.stderr
    assert outcome.returncode == 2


def test_check_of_no_file_is_a_usage_problem() -> None:
    command = [str(ROOT / ".venvs" / "sqlcheck" / "bin" / "python"), "-m", "tools.sqlcheck", "nowhere.json"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False).returncode == 2
