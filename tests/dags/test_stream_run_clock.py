"""A stream run whose clock is set back or forward."""

from datetime import timedelta

import pytest

from csat.airflow.backends.base import Process
from csat.airflow.decide import Plan
from csat.control.state_files import StateFiles
from csat.control.verdict import Verdict
from tests.dags.fake_run import NOON, Clock, FakeBackend, Make, end


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_step_of_the_clock_ends_no_run_whose_driver_writes_again(
    make_run: Make,
    make_heartbeat: Make,
    state_files: StateFiles,
    backend: FakeBackend,
    clock: Clock,
    hours: float,
) -> None:
    state_files.write_heartbeat(make_heartbeat(token="new", backlog=5))
    clock.at(10, lambda: clock.set(hours))
    later = NOON + timedelta(hours=hours, seconds=15)
    written = make_heartbeat(token="new", at=later, started_at=NOON, progress_at=later)
    clock.at(15, lambda: state_files.write_heartbeat(written))
    clock.at(30, lambda: setattr(backend, "process", Process(False, 75, "EXITED", "new")))
    assert end(make_run()).verdict is Verdict.SUPERSEDED


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_driver_that_is_silent_after_a_step_of_the_clock_ends_the_run(
    make_run: Make, make_heartbeat: Make, state_files: StateFiles, clock: Clock, hours: float
) -> None:
    state_files.write_heartbeat(make_heartbeat(token="new"))
    clock.at(10, lambda: clock.set(hours))
    assert end(make_run()).verdict is Verdict.DEAD_OR_FROZEN
    assert clock.elapsed == 31


def test_a_driver_that_ignores_a_stop_request_is_killed_however_the_clock_is_set(
    make_run: Make, make_heartbeat: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock
) -> None:
    state_files.write_heartbeat(make_heartbeat(token="new", started_at=NOON - timedelta(days=2)))
    clock.at(10, lambda: clock.set(-3))
    assert end(make_run()).verdict is Verdict.RECYCLE
    assert backend.calls == ["start new", "stop"]
    assert 60 < clock.elapsed < 65


def test_a_back_off_lasts_no_longer_than_the_longest_when_the_clock_is_set_back(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock
) -> None:
    state_files.write_desired_state(make_desired_state(token="a"))
    clock.at(2, lambda: clock.set(-3))
    clock.at(5, lambda: setattr(backend, "process", Process(False, 75, "EXITED", "new")))
    end(make_run(Plan("new", "a", NOON + timedelta(seconds=30))))
    assert (backend.calls, clock.elapsed) == (["start new"], 5)
