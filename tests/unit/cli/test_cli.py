import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date
from pathlib import Path
from typing import Any

import pytest
import typer

from csat.cli.main import run
from csat.contract.errors import CsatError
from csat.contract.settings import Settings, get_settings
from csat.control.state_files import StateFiles
from csat.local import logs
from csat.marts.build import BuildReport

pytestmark = pytest.mark.usefixtures("own_machine")


def test_status_prints_one_json_document_and_exits_with_1_when_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"project", "components", "stream", "landing", "marts"}


def test_status_prints_tables_without_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status"]) == 1
    assert "airflow-scheduler" in capsys.readouterr().out


def test_doctor_prints_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    run(["doctor", "--json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert {"name", "ok", "detail", "fix"} == set(checks[0])


def test_a_result_is_kept_in_the_state_files_under_the_id_of_the_caller(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSAT_RESULT_ID", "check.doctor:1")
    get_settings.cache_clear()
    run(["doctor", "--json"])
    state_files = StateFiles(get_settings().state_files)
    kept = state_files.command_result("check.doctor:1")
    assert kept is not None
    assert kept.document == json.loads(capsys.readouterr().out)
    assert state_files.command_result("check.doctor:2") is None


def test_a_command_that_asks_bigquery_starts_without_pandas() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "csat.cli.main", "status"]
    imports = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stderr
    names = {line.rpartition("|")[2].strip() for line in imports.splitlines()}
    assert "google.cloud.bigquery" in names
    assert [name for name in names if name.startswith("pandas.core")] == []  # what was only looked for is listed too


def test_down_does_nothing_and_succeeds_when_nothing_runs(tmp_path: Path) -> None:
    assert run(["down"]) == 0
    assert not (tmp_path / "state").exists()


def test_logs_names_the_fix_in_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["logs", "nonsense"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error: no log of nonsense, fix: name one of (none yet: csat up)\n"


class ElsewhereError(CsatError):
    """An error of a module that the command line does not know."""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (CsatError("no jars in /a", "make setup"), "error: no jars in /a, fix: make setup\n"),
        (ElsewhereError("it is over"), "error: it is over\n"),
    ],
)
def test_a_named_error_is_one_line_with_its_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: CsatError, line: str
) -> None:
    monkeypatch.setattr(logs, "read", failing(error))
    assert run(["logs"]) == 1
    assert capsys.readouterr() == ("", line)


def test_any_other_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = type("LogError", (Exception,), {"__module__": "csat.local.logs"})
    monkeypatch.setattr(logs, "read", failing(refusal("a bug, fix: none")))
    with pytest.raises(refusal):
        run(["logs"])


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any) -> None:
        raise error

    return fail


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CSAT_KAFKA_PORT", "often")
    assert run(["status"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: CSAT_KAFKA_PORT: ")
    assert captured.err.endswith(", fix: correct it in the environment or in .env\n")


def test_up_refuses_the_cloud(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CSAT_TARGET", "gcp")
    monkeypatch.setenv("CSAT_PROJECT_ID", "a-project")
    assert run(["up"]) == 1
    assert capsys.readouterr().err.strip() == ("error: CSAT_TARGET=gcp has no local stack, fix: set CSAT_TARGET=local")


def test_simulate_without_a_number_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--json"]) == 1
    assert "--events" in capsys.readouterr().err


def test_an_unknown_command_exits_with_2() -> None:
    assert run(["nonsense"]) == 2


def test_alert_is_sent_once_while_it_is_open(capsys: pytest.CaptureFixture[str]) -> None:
    call = ["alerts", "raise", "poison_batch", "batch 7 failed"]
    assert [run(call), run(call), run(["alerts", "resolve", "poison_batch", "passed"])] == [0, 0, 0]
    assert capsys.readouterr().err.count("nothing to send") == 1
    assert StateFiles(get_settings().state_files).alert_state().open_alerts == ()


def test_alert_refuses_a_key_that_is_none() -> None:
    assert run(["alerts", "raise", "nonsense", "no"]) == 2


def test_check_health_prints_one_json_document_and_exits_with_1_when_nothing_runs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["check", "health", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["is_healthy"], len(document["checks"])) == (False, 13)
    assert {alert["key"] for alert in document["open_alerts"]} == {
        "stream_down",
        "kafka_unreachable",
        "bigquery_unreachable",
        "airflow_unreachable",
    }


@pytest.mark.parametrize(
    ("words", "dates"),
    [
        (["--from", "", "--to", "", "--select", ""], None),  # how the DAG's form leaves them
        (["--from", "2026-11-20", "--to", "2026-11-21"], (date(2026, 11, 20), date(2026, 11, 21))),
    ],
)
def test_rebuild_takes_dates_or_all(
    monkeypatch: pytest.MonkeyPatch, words: list[str], dates: tuple[date, date] | None
) -> None:
    asked: dict[str, Any] = {}

    def rebuild(settings: Settings, **options: Any) -> BuildReport:
        asked.update(options)
        return BuildReport("nothing new", None)

    monkeypatch.setattr("csat.cli.marts.settings_with", lambda *_: get_settings())
    monkeypatch.setattr("csat.marts.build.rebuild", rebuild)
    assert run(["marts", "rebuild", "--json", *words]) == 0
    assert (asked["dates"], asked["select"]) == (dates, None)


@pytest.mark.parametrize(
    "words", [["--from", "2026-11-20"], ["--to", "2026-11-20"], ["--from", "last", "--to", "week"]]
)
def test_rebuild_refuses_half_of_the_dates(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["marts", "rebuild", *words]) == 2
    assert "give both --from and --to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-11-20", 0), ("2026-11-20T10:00:00", 10), ("2026-11-20T10:00:00Z", 10), ("2026-11-20 10:00:00.5+01:00", 9)],
)
def test_a_time_is_in_utc_unless_it_names_an_offset(text, hour):
    from csat.cli.rejected import _which, app

    command = typer.main.get_group(app).commands["count"]
    which = _which("", command.make_context("count", ["--since", text]).params["since"])
    assert (which.since.astimezone(UTC).day, which.since.astimezone(UTC).hour) == (20, hour)
