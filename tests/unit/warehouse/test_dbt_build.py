"""The call of dbt: its words, its variables, and what is made of its results."""

import json
import sys
from datetime import date
from pathlib import Path

import pytest

from csat.settings import Settings
from warehouse.dbt_build import DbtResult, MartsError, command, dbt_variables, run_dbt

# Stands in for dbt: writes what it is told to and leaves with a code.
FAKE_DBT = """
import pathlib, sys
print("a line")
pathlib.Path(sys.argv[1]).write_text(sys.argv[2])
sys.exit(int(sys.argv[3]))
"""


def fake_run(folder: Path, results: object, code: int = 0, lines: list[str] | None = None) -> DbtResult:
    target = folder / "target"
    target.mkdir(exist_ok=True)
    words = [sys.executable, "-c", FAKE_DBT, str(target / "run_results.json"), json.dumps(results), str(code)]
    with (folder / "lock").open("w") as lock:
        return run_dbt(words, {}, folder, (lines if lines is not None else []).append, lock.fileno())


def results(**status_of: str) -> dict[str, object]:
    nodes = [{"unique_id": name.replace("__", "."), "status": status} for name, status in status_of.items()]
    return {"metadata": {"invocation_id": "i1"}, "results": nodes}


def test_variables_carry_the_dates_as_a_json_list() -> None:
    variables = dbt_variables(Settings(_env_file=None), [date(2026, 11, 1)], date(2026, 11, 2))
    assert variables["CSAT_TOUCHED_DATES"] == '["2026-11-01"]'
    assert variables["CSAT_AS_OF"] == "2026-11-02"
    assert variables["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"


def test_command_writes_below_the_state_folder_only(tmp_path: Path) -> None:
    words = command(Settings(state_dir=tmp_path, _env_file=None), full_refresh=True, select="fct_survey_responses+")
    assert words[words.index("--target-path") + 1] == str(tmp_path / "dbt" / "target")
    assert words[words.index("--log-path") + 1] == str(tmp_path / "dbt" / "logs")
    assert words[words.index("--full-refresh") :][:3] == ["--full-refresh", "--select", "fct_survey_responses+"]


def test_run_counts_models_and_tests(tmp_path: Path) -> None:
    lines: list[str] = []
    result = fake_run(tmp_path, results(model__csat__a="success", test__csat__b="warn"), lines=lines)
    assert result == DbtResult("i1", model_count=1, test_count=1)
    assert lines == ["a line"]


def test_run_names_what_failed_and_the_log(tmp_path: Path) -> None:
    with pytest.raises(MartsError, match=r"failed in b, c;.*logs/dbt\.log"):
        fake_run(
            tmp_path,
            results(model__csat__a="success", test__csat__b="fail", model__csat__c="error", model__csat__d="skipped"),
            code=1,
        )


def test_run_ignores_the_results_of_the_run_before(tmp_path: Path) -> None:
    fake_run(tmp_path, results(model__csat__a="success"))
    with pytest.raises(MartsError, match=r"code 2 before it built anything: gone"), (tmp_path / "lock").open() as lock:
        run_dbt([sys.executable, "-c", "print('gone'); exit(2)"], {}, tmp_path, [].append, lock.fileno())
