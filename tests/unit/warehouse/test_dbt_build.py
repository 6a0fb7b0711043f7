"""The call of dbt: its words, its variables, and what is made of a dbt that died."""

import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from csat.settings import Settings
from local.secret_files import bigquery_token
from warehouse import dbt_process
from warehouse.dbt_build import MartsError, dbt_variables, run_dbt, words_of_build, words_of_tests
from warehouse.dbt_results import DbtResult
from warehouse.mart_plans import Plan

# Stands in for dbt: writes the results that it is told to, where there are any, and leaves with a code.
FAKE_DBT = """#!{python}
import pathlib, sys
print("a line")
if {results!r}:
    pathlib.Path({target!r}).mkdir(parents=True, exist_ok=True)
    pathlib.Path({target!r}, "run_results.json").write_text({results!r})
sys.exit({code})
"""
PYTHON = sys.executable
Fake = Callable[..., DbtResult]


@pytest.fixture
def fake_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    settings = Settings(state_dir=tmp_path, _env_file=None)
    bigquery_token(settings)
    program = tmp_path / "dbt-fake" / "dbt"
    program.parent.mkdir()
    monkeypatch.setattr(dbt_process.sys, "executable", str(program.with_name("python")))

    def run(results: object = None, code: int = 0, lines: list[str] | None = None) -> DbtResult:
        text = json.dumps(results) if results else ""
        target = str(tmp_path / "dbt" / "target")
        program.write_text(FAKE_DBT.format(python=PYTHON, target=target, results=text, code=code))
        program.chmod(0o755)
        with (tmp_path / "lock").open("w") as lock:
            return run_dbt(settings, [], Plan(0), (lines if lines is not None else []).append, lock.fileno())

    return run


def results(status: str) -> dict[str, object]:
    node = {"unique_id": "model.csat.a", "status": status, "timing": [], "execution_time": 1.0}
    return {
        "metadata": {"invocation_id": "i1"},
        "results": [node | {"message": "", "failures": None, "adapter_response": {}}],
    }


def test_variables_carry_the_dates_of_the_plan() -> None:
    plan = Plan(1, latest_answered_date=date(2026, 11, 2), earliest_date=date(2026, 8, 1), dates=(date(2026, 11, 1),))
    variables = dbt_variables(Settings(_env_file=None), plan)
    assert variables["CSAT_TOUCHED_DATES"] == '["2026-11-01"]'
    assert (variables["CSAT_AS_OF"], variables["CSAT_EARLIEST_DATE"]) == ("2026-11-02", "2026-08-01")
    assert variables["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"


def test_words_write_below_the_state_folder_only(tmp_path: Path) -> None:
    words = words_of_build(
        Settings(state_dir=tmp_path, _env_file=None), full_refresh=True, select="fct_survey_responses+"
    )
    assert words[words.index("--target-path") + 1] == str(tmp_path / "dbt" / "target")
    assert words[words.index("--log-path") + 1] == str(tmp_path / "dbt" / "logs")
    assert words[words.index("--full-refresh") :][:3] == ["--full-refresh", "--select", "fct_survey_responses+"]


def test_nightly_tests_are_left_out_of_builds_alone() -> None:
    settings = Settings(_env_file=None)
    assert "tag:nightly" in words_of_build(settings, full_refresh=False, select=None)
    assert "tag:nightly" not in words_of_tests(settings)


def test_run_passes_on_the_lines_and_gives_the_results(fake_run: Fake) -> None:
    lines: list[str] = []
    assert fake_run(results("success"), lines=lines).model_count == 1
    assert lines == ["a line"]


def test_run_gives_the_results_of_a_build_that_failed(fake_run: Fake) -> None:
    assert fake_run(results("error"), code=1).failed == ("a",)


def test_run_ignores_the_results_of_the_run_before(fake_run: Fake) -> None:
    fake_run(results("success"))
    with pytest.raises(MartsError, match=r"code 2 before it built anything: a line .*logs/dbt\.log"):
        fake_run(code=2)


def test_run_does_not_take_a_bad_code_for_success(fake_run: Fake) -> None:
    with pytest.raises(MartsError, match="code 1"):
        fake_run(results("success"), code=1)
