"""Which real faults restart the stream, and with which verdict, by the real Airflow; and what a person may do to it.

`make test-long NAME=guard`: a quarter of an hour, for what CI's subset of the same faults does not cover.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import psutil
import pytest

from csat.bigquery.client import Warehouse
from csat.bigquery.tables import create_landing_table
from csat.contract.settings import ROOT, environment
from csat.control.verdict import Heartbeat, State, Verdict
from csat.local.programs import AIRFLOW, BIGQUERY, stream_variables
from csat.local.supervisord import Supervisord
from tests.chaos.outages import suspended_workers, verdict
from tests.chaos.target import Target
from tests.e2e.conftest import RUNS
from tests.guard.conftest import PATIENCE, Guarded, stays
from tests.integration.conftest import wait_for

pytestmark = pytest.mark.e2e


def test_dead_driver_fails_its_run_with_its_last_lines_in_the_log(guarded: Guarded) -> None:
    before, run = guarded.stable(), guarded.run()
    with guarded.never_two_drivers():
        guarded.signal(signal.SIGKILL)
        state, log = guarded.end_of(run)
        guarded.stable(other_than=before.driver_id)
    assert state == "failed"
    assert "The stream is dead or frozen (the process ended after its last heartbeat" in log
    assert "The driver's last lines:" in log
    assert "Landed " in log.split("The driver's last lines:")[1]
    assert "The next run starts a new driver automatically." in log


def test_frozen_driver_is_killed_and_replaced(guarded: Guarded) -> None:
    before, run = guarded.stable(), guarded.run()
    with guarded.never_two_drivers():
        frozen = guarded.signal(signal.SIGSTOP)
        state, log = guarded.end_of(run)
        guarded.stable(other_than=before.driver_id)
    assert state == "failed"
    assert "The stream is dead or frozen (batch " in log
    assert frozen not in guarded.drivers()


def test_driver_without_a_first_batch_never_started(guarded: Guarded) -> None:
    before = guarded.stable()
    old = guarded.signal(signal.SIGKILL)
    wait_for(lambda: guarded.pid() not in (0, old), 60, "next driver", pause=0.1)
    guarded.signal(signal.SIGSTOP)
    run = guarded.run()
    state, log = guarded.end_of(run)
    assert state == "failed"
    assert "The stream did not start (" in log
    guarded.stable(other_than=before.driver_id)


def test_stream_whose_batch_does_not_finish_is_stalled(guarded: Guarded) -> None:
    before, run = guarded.stable(), guarded.run()
    workers = suspended_workers(guarded.pid())
    assert workers
    try:
        state, log = guarded.end_of(run, 150)
    finally:
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
    assert state == "failed"
    assert "The stream is stalled: messages wait and no batch finishes (batch " in log
    guarded.stable(other_than=before.driver_id)


def test_stream_that_waits_for_bigquery_continues_with_its_driver(guarded: Guarded) -> None:
    before, run = guarded.stable(), guarded.run()
    target = Target(guarded.settings)
    guarded.signal(signal.SIGSTOP, BIGQUERY)
    try:
        wait_for(lambda: verdict(target) is Verdict.WAITING, 150, "stream that waits", pause=1)
        assert stays(lambda: verdict(target) is Verdict.WAITING, PATIENCE["stalled_seconds"])
    finally:
        guarded.signal(signal.SIGCONT, BIGQUERY)
    after = wait_for(lambda: landed_since(guarded, before), 90, "rows that land again")
    assert (after.driver_id, guarded.run()) == (before.driver_id, run)


def landed_since(guarded: Guarded, before: Heartbeat) -> Heartbeat | None:
    """The heartbeat, once a batch has landed after this one."""
    heartbeat = guarded.state_files.heartbeat()
    if heartbeat is None or heartbeat.waiting_for or heartbeat.rows_committed == before.rows_committed:
        return None
    return heartbeat


def airflow_again(guarded: Guarded, since: datetime) -> None:
    target = Target(guarded.settings)
    wait_for(lambda: target.is_airflow_healthy(since), 240, "Airflow that watches the stream again", pause=1)


@pytest.mark.parametrize(
    "programs", [("airflow-triggerer",), ("airflow-scheduler",), AIRFLOW], ids=lambda names: names[0]
)
def test_stream_keeps_running_when_airflow_restarts(guarded: Guarded, programs: tuple[str, ...]) -> None:
    before, run, pid = guarded.stable(), guarded.run(), guarded.pid()
    supervisor = Supervisord(guarded.settings)
    if len(programs) > 1:
        supervisor.stop(*programs)
        wait_for(lambda: not any(guarded.pid(name) for name in programs), 60, "end of Airflow")
        started_at = datetime.now(UTC)
        supervisor.start(*programs)
    else:
        started_at = datetime.now(UTC)
        guarded.signal(signal.SIGKILL, programs[0])
    airflow_again(guarded, started_at)
    after = guarded.state_files.heartbeat()
    assert after is not None
    assert (after.driver_id, guarded.pid(), guarded.run()) == (before.driver_id, pid, run)
    assert after.rows_committed > before.rows_committed


def test_paused_and_failed_run_stops_the_stream_until_it_is_unpaused(guarded: Guarded) -> None:
    before, run = guarded.stable(), guarded.run()
    with guarded.never_two_drivers():
        guarded.platform.airflow("PATCH", "dags/run_stream", {"is_paused": True})
        guarded.platform.airflow("PATCH", f"{RUNS}/{run}", {"state": "failed"})
        wait_for(lambda: not guarded.drivers(), 60, "end of the driver")
        heartbeat = guarded.state_files.heartbeat()
        assert heartbeat is not None
        assert (heartbeat.driver_id, heartbeat.state) == (before.driver_id, State.STOPPED)
        assert stays(lambda: not guarded.drivers(), 20)
        guarded.platform.airflow("PATCH", "dags/run_stream", {"is_paused": False})
        guarded.stable(other_than=before.driver_id)


def test_cleared_task_restarts_the_stream(guarded: Guarded) -> None:
    before, run = guarded.stable(), guarded.run()
    with guarded.never_two_drivers():
        cleared = {"dag_run_id": run, "dry_run": False, "only_failed": False, "reset_dag_runs": True}
        guarded.platform.airflow("POST", "dags/run_stream/clearTaskInstances", cleared)
        guarded.stable(other_than=before.driver_id)


def test_task_marked_a_success_restarts_the_stream(guarded: Guarded) -> None:
    before, run = guarded.stable(), guarded.run()
    with guarded.never_two_drivers():
        path = f"{RUNS}/{run}/taskInstances/guard_stream"
        guarded.platform.airflow("PATCH", path, {"new_state": "success"})
        guarded.stable(other_than=before.driver_id)


def test_driver_started_manually_takes_over_until_airflow_takes_the_stream_back(guarded: Guarded) -> None:
    before, run = guarded.stable(), guarded.run()
    variables = environment(**guarded.settings.as_environment(), **stream_variables())
    command = [sys.executable, "-m", "spark.stream_responses"]
    with (guarded.settings.state / "logs" / "by-hand.log").open("wb") as log:
        second = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log, start_new_session=True)
    try:
        state, said = guarded.end_of(run)
        assert (state, "Another driver has the stream" in said) == ("success", True)
        assert second.wait(120) == 75
    finally:
        if second.poll() is None:
            os.killpg(second.pid, signal.SIGKILL)
    guarded.stable(other_than=before.driver_id)
    assert len(guarded.drivers()) == 1


def test_nothing_was_lost_or_duplicated_after_all_of_that(guarded: Guarded) -> None:
    found = guarded.platform.json("check", "completeness")
    assert (found["lost"], found["duplicated"]) == (0, 0)


def run_other_than(guarded: Guarded, last: str) -> str:
    """The run that is there, unless it is still the last one."""
    return found if (found := guarded.run()) != last else ""


def test_unwritable_batch_is_poison_after_three_failures_and_lands_once_writable(guarded: Guarded) -> None:
    guarded.stable()
    runs, words = guarded.run(), []
    table = guarded.settings.table("raw", "survey_responses")
    with Warehouse(guarded.settings) as warehouse:
        warehouse.client.delete_table(table, timeout=30)
        for _ in range(3):
            state, log = guarded.end_of(runs, 240)
            words.append((state, "again and again on the same batch" in log, "The stream's query failed" in log))
            runs = wait_for(partial(run_other_than, guarded, runs), 90, "next run", pause=1)
        desired_state = guarded.state_files.desired_state()
        create_landing_table(warehouse)
    assert words == [("failed", False, True), ("failed", False, True), ("failed", True, True)]
    assert desired_state is not None
    heartbeat = guarded.stable(seconds=400)
    assert heartbeat.rows_committed > 0
    rows = guarded.platform.rows(
        "select count(*) as n, count(distinct concat(kafka_partition, '/', kafka_offset)) as places "
        f"from `{{raw}}.survey_responses` where batch_id = '{desired_state.failed_batch or heartbeat.failed_batch}'"
    )
    assert rows[0]["n"] == rows[0]["places"] > 0
    assert not guarded.platform.airflow("GET", "dags/run_stream")["is_paused"]
    opened = "select status from `{ops}.alerts` where alert_key = 'poison_batch' and status = 'opened'"
    assert len(guarded.platform.rows(opened)) == 1
