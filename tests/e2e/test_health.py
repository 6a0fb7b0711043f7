"""Airflow's health check of the whole platform: green when healthy, and its alerts when the stream freezes."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.control.state_files import StateFiles
from csat.local.supervisord import Supervisord
from tests.e2e.conftest import Platform
from tests.integration.conftest import wait_for

pytestmark = pytest.mark.e2e


def start(platform: Platform, dag_id: str) -> str:
    """Trigger a DAG once Airflow has parsed its file; returns the run's id."""

    def known() -> bool:
        dags = platform.airflow("GET", "dags?limit=100")["dags"]
        return dag_id in {dag["dag_id"] for dag in dags}

    wait_for(known, 120, f"DAG {dag_id}", pause=1)
    run_id: str = platform.airflow("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"]
    return run_id


def end_of(platform: Platform, dag_id: str, run_id: str, seconds: float = 150) -> str:
    """The state that a run ends with."""

    def ended() -> str | None:
        state: str = platform.airflow("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"]
        return state if state in ("success", "failed") else None

    return str(wait_for(ended, seconds, f"end of {dag_id}", pause=1))


def run_check(platform: Platform) -> tuple[str, dict[str, str]]:
    """The final state of a run of check_stream_health, and the grade of each of its checks."""
    began = datetime.now(UTC)
    state = end_of(platform, "check_stream_health", start(platform, "check_stream_health"))
    rows = platform.rows(
        "select check, grade, detail from `{ops}.pipeline_health_checks` "
        "where checked_at = (select max(checked_at) from `{ops}.pipeline_health_checks`) "
        f"and checked_at >= timestamp '{began.isoformat()}'"
    )
    assert len(rows) == 13, rows
    print({row["check"]: row["detail"] for row in rows})
    return state, {row["check"]: row["grade"] for row in rows}


def alerts(platform: Platform) -> set[tuple[str, str]]:
    rows = platform.rows("select alert_key, status from `{ops}.alerts`")
    return {(row["alert_key"], row["status"]) for row in rows}


def is_healthy(platform: Platform) -> bool:
    return platform.csat("status", "--json", expect=None).returncode == 0


@pytest.fixture(scope="module")
def maintenance(platform: Platform) -> str:
    """A run of the DAG maintain, in parallel to the other tests."""
    wait_for(lambda: is_healthy(platform), 180, "healthy status", pause=2)
    return start(platform, "maintain")


def test_the_health_check_is_green_when_everything_is_healthy(platform: Platform, maintenance: str) -> None:
    state, grades = run_check(platform)
    assert {check for check, grade in grades.items() if grade != "ok"} == {"load_job_quota"}
    assert (state, grades["load_job_quota"]) == ("success", "skipped")
    [task, *_] = platform.airflow("GET", "dags/run_stream/dagRuns/~/taskInstances")["task_instances"]
    assert task["pool"] == "stream"
    pools = {pool["name"]: pool["slots"] for pool in platform.airflow("GET", "pools")["pools"]}
    assert (pools["stream"], pools["marts"], pools["pipeline"]) == (2, 1, 3)


@contextmanager
def frozen(platform: Platform, *names: str) -> Iterator[None]:
    """Freezes these programs; the last of them resumes afterwards, the others stay frozen."""
    pids = [Supervisord(platform.settings).programs()[name]["pid"] for name in names]
    for pid in pids:
        os.killpg(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(pids[-1], signal.SIGCONT)


def heartbeat_age(platform: Platform) -> timedelta:
    heartbeat = StateFiles(platform.settings.state_files).heartbeat()
    assert heartbeat is not None
    return datetime.now(UTC) - heartbeat.at


def test_a_frozen_unmonitored_stream_raises_an_alert_and_a_restart_request(platform: Platform) -> None:
    state_files = StateFiles(platform.settings.state_files)
    with frozen(platform, "stream", "airflow-triggerer"):
        wait_for(lambda: heartbeat_age(platform) > timedelta(seconds=21), 60, "old heartbeat")
        state, grades = run_check(platform)
        assert (state, grades["stream_heartbeat"], grades["stream_verdict"]) == ("failed", "critical", "critical")
        assert ("stream_down", "opened") in alerts(platform)
        platform.csat("check", "health", expect=1)  # at least the second failed check
        requested: Any = state_files.desired_state()
        assert (requested.desired, requested.reason.split()[:2]) == ("stop", ["recycle:", "check_stream_health"])
    # The triggerer resumes: it ends the run of the frozen driver as requested, and the next one starts
    wait_for(lambda: heartbeat_age(platform) < timedelta(seconds=20), 120, "new driver", pause=1)
    is_all_healthy = lambda: platform.csat("check", "health", expect=None).returncode == 0  # noqa: E731
    wait_for(is_all_healthy, 90, "health check without failures", pause=3)
    next_run = state_files.desired_state()
    assert next_run is not None
    assert next_run.token != requested.token
    assert ("stream_down", "recovered") in alerts(platform)


def test_maintain_can_clean_everything(platform: Platform, maintenance: str) -> None:
    state = end_of(platform, "maintain", maintenance, 180)
    path = f"dags/maintain/dagRuns/{maintenance}/taskInstances"
    tasks = {task["task_id"]: task["state"] for task in platform.airflow("GET", path)["task_instances"]}
    assert tasks == dict.fromkeys(
        (
            *("clean_airflow", "clean_staging", "clean_emulator_jobs", "clean_dbt", "clean_scratch"),
            *("prove_completeness", "all_succeeded"),
        ),
        "success",
    )
    assert state == "success"
