"""Running dbt: its arguments, its variables, and failures."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.local.secret_files import bigquery_token
from csat.marts import dbt_process
from csat.marts.plans import Plan
from csat.marts.results import DbtResult
from csat.marts.run_dbt import build_arguments, data_test_arguments, dbt_variables, parse_project, run_dbt

# A fake dbt: writes the given results, if any, and exits with a code.
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
    monkeypatch.setattr("csat.marts.dbt_process.sys.executable", str(program.with_name("python")))

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


def test_variables_contain_the_dates_of_the_plan() -> None:
    plan = Plan(
        1,
        watermark_from=datetime(2026, 11, 1, 12, tzinfo=UTC),
        watermark_to=datetime(2026, 11, 1, 13, tzinfo=UTC),
        read_until=datetime(2026, 11, 6, 13, tzinfo=UTC),
        latest_response_date=date(2026, 11, 2),
        earliest_date=date(2026, 8, 1),
        dates=(date(2026, 11, 1),),
    )
    variables = dbt_variables(Settings(_env_file=None), plan)
    assert variables["CSAT_TOUCHED_DATES"] == '["2026-11-01"]'
    assert variables["CSAT_AS_OF"] == "2026-11-02"
    new_rows = ("2026-11-01T11:55:00+00:00", "2026-11-06T13:00:00+00:00")
    assert (variables["CSAT_NEW_SINCE"], variables["CSAT_NEW_UNTIL"]) == new_rows
    assert variables["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"


def test_arguments_write_below_the_state_folder_only(tmp_path: Path) -> None:
    arguments = build_arguments(
        Settings(state_dir=tmp_path, _env_file=None), full_refresh=True, select="fct_survey_responses+"
    )
    assert arguments[arguments.index("--target-path") + 1] == str(tmp_path / "dbt" / "target")
    assert arguments[arguments.index("--log-path") + 1] == str(tmp_path / "dbt" / "logs")
    assert arguments[arguments.index("--full-refresh") :][:3] == ["--full-refresh", "--select", "fct_survey_responses+"]


def test_nightly_tests_are_excluded_from_builds_only() -> None:
    settings = Settings(_env_file=None)
    assert "tag:nightly" in build_arguments(settings, full_refresh=False, select=None)
    assert "tag:nightly" not in data_test_arguments(settings)


def test_run_passes_on_the_lines_and_returns_the_results(fake_run: Fake) -> None:
    lines: list[str] = []
    assert fake_run(results("success"), lines=lines).model_count == 1
    assert lines == ["a line"]


def test_run_returns_the_results_of_a_failed_build(fake_run: Fake) -> None:
    assert fake_run(results("error"), code=1).failed == ("a",)


def test_run_ignores_the_results_of_the_previous_run(fake_run: Fake) -> None:
    fake_run(results("success"))
    with pytest.raises(CsatError, match=r"code 2 before it built anything: a line .*logs/dbt\.log"):
        fake_run(code=2)


def test_run_does_not_accept_a_bad_exit_code_as_success(fake_run: Fake) -> None:
    with pytest.raises(CsatError, match="code 1"):
        fake_run(results("success"), code=1)


@pytest.mark.parametrize("code", [0, 2])
def test_the_project_is_read_by_dbt_or_the_error_names_its_log(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(state_dir=tmp_path, _env_file=None)
    (tmp_path / "dbt" / "target").mkdir(parents=True)
    calls: list[list[str]] = []

    def fake(_: Settings, arguments: list[str], __: object, progress: Callable[[str], None], ___: int) -> int:
        calls.append(arguments)
        progress("a line")
        (tmp_path / "dbt" / "target" / "manifest.json").write_text('{"nodes": {}}')
        return code

    bigquery_token(settings)
    monkeypatch.setattr(dbt_process, "run", fake)
    if code:
        with pytest.raises(CsatError, match=r"could not read the project in .*dbt: a line \(log: .*dbt\.log"):
            parse_project(settings, 0)
    else:
        assert parse_project(settings, 0) == {"nodes": {}}
    assert calls[0][1] == "parse"


def test_dbt_is_interrupted_where_the_build_must_end(tmp_path: Path, fake_run: Fake) -> None:
    fake_run(results("success"))  # makes the program's folder
    program = tmp_path / "dbt-fake" / "dbt"
    program.write_text(f"#!{PYTHON}\nimport time\nprint('a line', flush=True)\ntime.sleep(600)\n")

    def lose(_: str) -> None:
        raise CsatError("the lease is lost")

    with (tmp_path / "lock").open("w") as lock, pytest.raises(CsatError, match="the lease is lost"):
        dbt_process.run_alone([], {}, lose, lock.fileno())
