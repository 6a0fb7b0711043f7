"""What one health check run does with its results: rows, alerts, and a restart of the stream."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from csat.contract.alerts import AlertKey
from csat.contract.settings import Settings
from csat.control.open_alerts import AlertState
from csat.control.state_files import StateFiles
from csat.control.verdict import DesiredState
from csat.monitoring import delivery
from csat.monitoring import health_check as health_check_module
from csat.monitoring.collect import Collected
from csat.monitoring.facts import Facts, Missing
from csat.monitoring.health_check import HealthCheck, is_restart_due
from tests.unit.monitoring.conftest import NOON, ago, stream

Make = Callable[..., Facts]
FROZEN = stream(at=ago(600))


class Pipeline:
    """A pipeline whose facts a test sets; runs health checks and records the rows."""

    def __init__(self, folder: Path, facts: Facts) -> None:
        self.settings = Settings(state_dir=folder, _env_file=None)
        self.state_files = StateFiles(self.settings.state_files)
        self.facts = facts
        self.rows: dict[str, list[dict[str, Any]]] = {"alerts": [], "pipeline_health_checks": []}
        self.now = NOON

    def check(self, **changes: Any) -> HealthCheck:
        """A health check run five minutes after the last one, on facts with changes."""
        self.facts = replace(self.facts, **changes)
        self.now += timedelta(minutes=5)
        return health_check_module.run_health_check(self.settings, self.now)

    def desired_state(self, **changes: Any) -> DesiredState:
        """Write, or read, the desired state."""
        if changes:
            self.state_files.write_desired_state(DesiredState.model_validate({"reason": "", "at": NOON} | changes))
        desired_state = self.state_files.desired_state()
        assert desired_state is not None
        return desired_state


@pytest.fixture
def pipeline(tmp_path: Path, make_facts: Make, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    made = Pipeline(tmp_path, make_facts())

    def collect(settings: Settings, alert_state: AlertState, now: datetime) -> Collected:
        return Collected(made.facts, ago(7))

    def append(warehouse: Any, table: str, rows: list[dict[str, Any]]) -> None:
        made.rows[table].extend(rows)

    monkeypatch.setattr(health_check_module, "collect", collect)
    monkeypatch.setattr(health_check_module, "append_rows", append)
    monkeypatch.setattr(delivery, "require_listening", lambda *_: None)
    monkeypatch.setattr(delivery, "append_rows", append)
    return made


def test_a_run_writes_a_row_for_each_check_with_the_tables_columns(pipeline: Pipeline) -> None:
    done = pipeline.check()
    assert done.is_healthy
    rows = pipeline.rows["pipeline_health_checks"]
    assert [row["check"] for row in rows][:2] == ["stream_heartbeat", "stream_verdict"]
    assert {(row["check_id"], row["checked_at"]) for row in rows} == {(done.check_id, "2026-11-20T12:05:00+00:00")}
    schema = json.loads(Path("csat/bigquery/schemas/pipeline_health_checks.json").read_text())
    assert {name for row in rows for name in row} == {field["name"] for field in schema}
    assert pipeline.rows["alerts"] == []


def test_a_run_stores_its_time_and_the_time_of_the_last_search(pipeline: Pipeline) -> None:
    pipeline.check()
    alert_state = pipeline.state_files.alert_state()
    assert (alert_state.checked_at, alert_state.examined_at) == (pipeline.now, ago(7))


def test_a_failing_run_opens_one_alert_per_key_and_a_passing_run_resolves_it(pipeline: Pipeline) -> None:
    done = pipeline.check(stream=FROZEN)
    assert not done.is_healthy
    assert [alert.key for alert in done.open_alerts] == ["stream_down"]
    pipeline.check()
    assert pipeline.check(stream=stream()).open_alerts == ()
    assert [(row["alert_key"], row["status"], row["text"]) for row in pipeline.rows["alerts"]] == [
        ("stream_down", "opened", "last heartbeat 10 min ago, running; dead_or_frozen"),
        ("stream_down", "recovered", "no longer: The stream is dead, frozen, failed or stalled."),
    ]


def test_a_run_without_bigquery_alerts_and_writes_the_alerts_rows_later(pipeline: Pipeline) -> None:
    dead = Missing("BigQuery does not respond", AlertKey.BIGQUERY_UNREACHABLE)
    well = pipeline.facts
    done = pipeline.check(landing=dead, marts=dead)
    assert [alert.key for alert in done.open_alerts] == ["bigquery_unreachable"]
    assert pipeline.rows == {"alerts": [], "pipeline_health_checks": []}
    assert pipeline.check(landing=well.landing, marts=well.marts).open_alerts == ()
    assert [row["status"] for row in pipeline.rows["alerts"]] == ["opened", "recovered"]


def test_the_second_failing_check_of_a_stream_run_requests_a_restart(pipeline: Pipeline) -> None:
    pipeline.desired_state(token="t1", desired="run")
    assert not pipeline.check(stream=FROZEN).has_requested_restart
    assert pipeline.desired_state().desired == "run"
    assert pipeline.check().has_requested_restart
    requested = pipeline.desired_state()
    assert (requested.token, requested.desired, requested.at) == ("t1", "stop", pipeline.now)
    assert requested.reason == "recycle: check_stream_health found this stream run unhealthy twice in a row"


def test_a_restart_is_requested_once_per_stream_run(pipeline: Pipeline) -> None:
    pipeline.desired_state(token="t1", desired="run")
    assert [pipeline.check(stream=FROZEN).has_requested_restart for _ in range(2)] == [False, True]
    pipeline.desired_state(token="t1", desired="run")  # as if the request were lost
    assert [pipeline.check().has_requested_restart for _ in range(3)] == [False, False, False]
    assert pipeline.desired_state().desired == "run"


def test_a_passing_check_between_two_failing_ones_prevents_the_restart(pipeline: Pipeline) -> None:
    pipeline.desired_state(token="t1", desired="run")
    checks = [pipeline.check(stream=facts) for facts in (FROZEN, stream(), FROZEN)]
    assert not any(check.has_requested_restart for check in checks)


def test_a_stream_run_that_the_guard_started_meanwhile_is_not_restarted(pipeline: Pipeline) -> None:
    pipeline.check(stream=FROZEN)
    pipeline.desired_state(token="t2", desired="run")
    assert not pipeline.check().has_requested_restart
    assert (pipeline.desired_state().token, pipeline.desired_state().desired) == ("t2", "run")


def test_no_restart_is_requested_where_it_would_not_help(pipeline: Pipeline) -> None:
    pipeline.desired_state(token="t1", desired="run")
    assert not any(pipeline.check(stream=stream(slow_batches=10)).has_requested_restart for _ in range(3))


@pytest.mark.parametrize(
    ("before", "token", "is_due"),
    [
        (AlertState(unhealthy_token="t1"), "t1", True),
        (AlertState(unhealthy_token="t1"), "t2", False),
        (AlertState(), "t1", False),
        (AlertState(), "", False),
        (AlertState(unhealthy_token="t1", recycled_token="t1"), "t1", False),
        (AlertState(unhealthy_token="t2", recycled_token="t1"), "t2", True),
    ],
)
def test_a_restart_is_due_at_the_second_failing_check_of_a_stream_run(
    before: AlertState, token: str, is_due: bool
) -> None:
    assert is_restart_due(before, token) is is_due
