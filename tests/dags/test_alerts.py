"""What a failed task tells, and that telling it costs the task nothing."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from csat.alerts import AlertKey, Severity
from csat.documents import Documents
from csat.health import Verdict
from csat.settings import get_settings
from csat.watch import OpenAlert, Watch
from guard import alerts
from guard.alerts import Failure, alert_failure, end_alert, failure_alert, recovery
from guard.operator import StreamEndedError

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def failure(dag_id: str = "build_marts", error: Any = "boom", started_at: datetime | None = NOON) -> Failure:
    return Failure(dag_id, "the_task", error, started_at)


def standing(about: str) -> Watch:
    alert = OpenAlert(
        key=AlertKey.DAG_FAILED,
        about=about,
        severity=Severity.WARNING,
        text="the_task: boom",
        opened_at=NOON,
        told_at=NOON,
    )
    return Watch(open_alerts=(alert,))


def test_a_failed_dag_is_a_warning_about_it() -> None:
    words = failure_alert(failure(error=ValueError("dbt failed in fct")), Watch())
    assert words == ["warning", "dag_failed", "the_task: dbt failed in fct", "--about", "build_marts"]


def test_a_task_ended_from_outside_says_so() -> None:
    assert failure_alert(failure(error=None), Watch())[2] == "the_task: it was ended from outside"


def test_a_life_that_ends_in_disorder_is_a_warning_since_it_mends_itself() -> None:
    words = failure_alert(
        failure("run_stream", StreamEndedError("The stream is dead or frozen (x).", Verdict.DEAD_OR_FROZEN)), Watch()
    )
    assert words == ["warning", "stream_ended", "The stream is dead or frozen (x)."]


def test_a_poison_batch_is_critical() -> None:
    words = failure_alert(
        failure("run_stream", StreamEndedError("The query failed again.", Verdict.POISON_BATCH)), Watch()
    )
    assert words == ["critical", "poison_batch", "The query failed again."]


@pytest.mark.parametrize(
    ("looked_at", "is_told"),
    [(None, True), (NOON - timedelta(seconds=1), True), (NOON, False), (NOON + timedelta(seconds=9), False)],
)
def test_a_look_that_found_something_bad_has_told_it_itself(looked_at: datetime | None, is_told: bool) -> None:
    words = failure_alert(failure("check_stream_health"), Watch(looked_at=looked_at))
    assert bool(words) is is_told


def test_a_dag_that_succeeds_again_ends_its_own_alert_only() -> None:
    assert recovery("build_marts", "the_task", standing("build_marts")) == [
        *("recovered", "dag_failed", "it succeeded again", "--about", "build_marts")
    ]
    assert recovery("build_marts", "the_task", standing("maintain")) == []
    assert recovery("build_marts", "the_task", Watch()) == []


def test_another_task_of_the_dag_does_not_end_the_alert() -> None:
    assert recovery("build_marts", "publish_marts", standing("build_marts")) == []


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CSAT_STATE_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


@pytest.fixture
def calls(state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The words of every call of `csat`, one a line; the program takes a second and a half."""
    program, file = state / "csat", state / "calls"
    keep = f"printf '%s|' \"$@\" > {file}.draft && mv {file}.draft {file}"
    program.write_text(f"#!/bin/sh\nsleep 1.5\necho said\n{keep}\n")
    program.chmod(0o755)
    monkeypatch.setattr(alerts, "PROGRAM", str(program))
    return file


def context(dag_id: str = "build_marts") -> dict[str, Any]:
    task = SimpleNamespace(dag_id=dag_id, task_id="the_task", start_date=NOON)
    return {"ti": task, "exception": ValueError("boom")}


def words_of(calls: Path) -> str:
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
    assert words_of(calls) == "alert|warning|dag_failed|the_task: boom|--about|build_marts|"
    assert (state / "logs" / "alerts.log").read_text() == "said\n"


@pytest.mark.timeout(30)
def test_success_ends_the_alert_that_stands(calls: Path) -> None:
    Documents(get_settings().documents).write_watch(standing("build_marts"))
    end_alert(context())
    assert words_of(calls) == "alert|recovered|dag_failed|it succeeded again|--about|build_marts|"


def test_success_without_an_alert_starts_nothing(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "PROGRAM", "/does/not/exist")
    end_alert(context())
    assert not (state / "logs").exists()


def test_a_missing_program_and_a_broken_watch_cost_the_task_nothing(
    state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (state / "stream").mkdir()
    (state / "stream" / "watch.json").write_text("{")
    monkeypatch.setattr(alerts, "PROGRAM", "/does/not/exist")
    alert_failure(context())
    assert "No alert was sent" in caplog.text


@pytest.mark.timeout(30)
def test_an_alert_is_sent_where_its_log_cannot_be_written(calls: Path, state: Path) -> None:
    (state / "logs").write_text("a file where the folder should be")
    alert_failure(context())
    assert words_of(calls).startswith("alert|warning|")
