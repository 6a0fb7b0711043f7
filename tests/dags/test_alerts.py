"""Which alert a failed task sends, and that sending it does not affect the task."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from csat.airflow import alerts
from csat.airflow.alerts import Failure, alert_failure, failure_alert, recovery, resolve_alert
from csat.airflow.operator import StreamRunFailedError
from csat.contract.alerts import ALERTS, AlertKey, Severity
from csat.contract.settings import get_settings
from csat.control.open_alerts import AlertState, OpenAlert
from csat.control.state_files import StateFiles
from csat.control.verdict import Verdict

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def failure(dag_id: str = "build_marts", error: Any = "boom", started_at: datetime | None = NOON) -> Failure:
    return Failure(dag_id, "the_task", error, started_at)


def open_alert(about: str) -> AlertState:
    alert = OpenAlert(
        key=AlertKey.DAG_FAILED,
        about=about,
        severity=Severity.WARNING,
        text="the_task: boom",
        opened_at=NOON,
        notified_at=NOON,
    )
    return AlertState(open_alerts=(alert,))


def test_a_failed_dag_is_a_warning_about_it() -> None:
    arguments = failure_alert(failure(error=ValueError("dbt failed in fct")), AlertState())
    assert arguments == ["alerts", "raise", "dag_failed", "the_task: dbt failed in fct", "--about", "build_marts"]
    assert ALERTS[AlertKey.DAG_FAILED].severity is Severity.WARNING


def test_a_killed_task_says_so() -> None:
    assert failure_alert(failure(error=None), AlertState())[3] == "the_task: the task was killed"


def test_a_failed_stream_run_is_a_warning_since_the_next_one_starts_by_itself() -> None:
    arguments = failure_alert(
        failure("run_stream", StreamRunFailedError("The stream is dead or frozen (x).", Verdict.DEAD_OR_FROZEN)),
        AlertState(),
    )
    assert arguments == ["alerts", "raise", "stream_run_failed", "The stream is dead or frozen (x)."]
    assert ALERTS[AlertKey.STREAM_RUN_FAILED].severity is Severity.WARNING


def test_a_poison_batch_is_critical() -> None:
    arguments = failure_alert(
        failure("run_stream", StreamRunFailedError("The query failed again.", Verdict.POISON_BATCH)), AlertState()
    )
    assert arguments == ["alerts", "raise", "poison_batch", "The query failed again."]
    assert ALERTS[AlertKey.POISON_BATCH].severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("checked_at", "is_notified"),
    [(None, True), (NOON - timedelta(seconds=1), True), (NOON, False), (NOON + timedelta(seconds=9), False)],
)
def test_a_failed_health_check_has_sent_its_alerts_itself(checked_at: datetime | None, is_notified: bool) -> None:
    arguments = failure_alert(failure("check_stream_health"), AlertState(checked_at=checked_at))
    assert bool(arguments) is is_notified


def test_a_dag_that_succeeds_again_resolves_only_its_own_alert() -> None:
    assert recovery("build_marts", "the_task", open_alert("build_marts")) == [
        *("alerts", "resolve", "dag_failed", "the task succeeded again", "--about", "build_marts")
    ]
    assert recovery("build_marts", "the_task", open_alert("maintain")) == []
    assert recovery("build_marts", "the_task", AlertState()) == []


def test_another_task_of_the_dag_does_not_resolve_the_alert() -> None:
    assert recovery("build_marts", "publish_marts", open_alert("build_marts")) == []


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CSAT_STATE_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


@pytest.fixture
def calls(state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The arguments of every call of `csat`, one per line; the program takes a second and a half."""
    program, file = state / "csat", state / "calls"
    keep = f"printf '%s|' \"$@\" > {file}.draft && mv {file}.draft {file}"
    program.write_text(f"#!/bin/sh\nsleep 1.5\necho said\n{keep}\n")
    program.chmod(0o755)
    monkeypatch.setattr(alerts, "PROGRAM", str(program))
    return file


def context(dag_id: str = "build_marts") -> dict[str, Any]:
    task = SimpleNamespace(dag_id=dag_id, task_id="the_task", start_date=NOON)
    return {"ti": task, "exception": ValueError("boom")}


def arguments_of(calls: Path) -> str:
    deadline = time.monotonic() + 10
    while not calls.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return calls.read_text()


@pytest.mark.timeout(30)
def test_the_callback_calls_csat_and_does_not_wait_for_it(calls: Path, state: Path) -> None:
    began = time.monotonic()
    alert_failure(context())
    assert time.monotonic() - began < 1
    assert arguments_of(calls) == "alerts|raise|dag_failed|the_task: boom|--about|build_marts|"
    assert (state / "logs" / "alerts.log").read_text() == "said\n"


@pytest.mark.timeout(30)
def test_success_resolves_the_open_alert(calls: Path) -> None:
    StateFiles(get_settings().state_files).write_alert_state(open_alert("build_marts"))
    resolve_alert(context())
    assert arguments_of(calls) == "alerts|resolve|dag_failed|the task succeeded again|--about|build_marts|"


def test_success_without_an_alert_starts_nothing(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "PROGRAM", "/does/not/exist")
    resolve_alert(context())
    assert not (state / "logs").exists()


def test_a_missing_program_and_a_broken_alert_state_do_not_affect_the_task(
    state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (state / "stream").mkdir()
    (state / "stream" / "alert_state.json").write_text("{")
    monkeypatch.setattr(alerts, "PROGRAM", "/does/not/exist")
    alert_failure(context())
    assert "No alert was sent" in caplog.text


@pytest.mark.timeout(30)
def test_an_alert_is_sent_where_its_log_cannot_be_written(calls: Path, state: Path) -> None:
    (state / "logs").write_text("a file where the folder should be")
    alert_failure(context())
    assert arguments_of(calls).startswith("alerts|raise|")
