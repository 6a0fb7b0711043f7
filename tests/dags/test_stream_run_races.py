"""A stream run while another triggerer, or a person, decides at the same moment."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from csat.airflow.backends.base import Process
from csat.airflow.decide import Plan
from csat.airflow.stream import Pace, Stream
from csat.airflow.stream_run import StreamRun
from csat.control.state_files import StateFiles
from csat.control.verdict import DesiredState, Verdict
from tests.dags.fake_run import NOON, POLICY, Clock, FakeBackend, Make, end


class SlowBackend(FakeBackend):
    """Another triggerer is starting the process: a start does nothing until it is released."""

    is_busy = True

    def start(self, token: str) -> None:
        if not self.is_busy:
            super().start(token)


OLD = Process(True, None, "STOPPING", "old")


def test_a_start_of_another_triggerer_is_awaited_and_not_repeated(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, clock: Clock
) -> None:
    state_files.write_desired_state(make_desired_state(token="new"))
    slow = SlowBackend()
    slow.process = OLD
    clock.at(3, lambda: setattr(slow, "process", Process(False, -9, "STOPPED", "old")))
    clock.at(6, lambda: setattr(slow, "process", Process(True, None, "RUNNING", "new")))
    clock.at(9, lambda: setattr(slow, "process", Process(False, 1, "EXITED", "new")))
    assert end(make_run(Plan("new", "old", NOON), slow)).verdict is Verdict.DEAD_OR_FROZEN
    assert (clock.now, slow.calls) == (NOON + timedelta(seconds=9), [])


def test_a_start_whose_triggerer_ended_is_completed_under_its_token(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, clock: Clock
) -> None:
    decided = make_desired_state(token="new")
    state_files.write_desired_state(decided)
    slow = SlowBackend()
    slow.process = Process(False, -9, "STOPPED", "old")
    clock.at(4, lambda: setattr(slow, "is_busy", False))
    clock.at(9, lambda: setattr(slow, "process", Process(False, 1, "EXITED", "new")))
    assert end(make_run(Plan("new", "old", NOON), slow)).verdict is Verdict.DEAD_OR_FROZEN
    assert (clock.now, slow.calls) == (NOON + timedelta(seconds=9), ["start new"])
    assert state_files.desired_state() == decided


def test_a_start_that_never_ends_ends_the_run_after_the_start_up_time(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, clock: Clock
) -> None:
    state_files.write_desired_state(make_desired_state(token="new"))
    slow = SlowBackend()
    slow.process = OLD
    assert end(make_run(Plan("new", "old", NOON), slow)).verdict is Verdict.NEVER_STARTED
    assert clock.now == NOON + timedelta(seconds=121)


class RacingFiles(StateFiles):
    """StateFiles in which another triggerer writes right after the first read."""

    def __init__(self, uri: str, write: Callable[[], None]) -> None:
        super().__init__(uri)
        self._write_once: Callable[[], None] | None = write

    def desired_state(self) -> DesiredState | None:
        found = super().desired_state()
        if self._write_once is not None:
            write, self._write_once = self._write_once, None
            write()
        return found


@pytest.mark.parametrize("desired", ["run", "stop"])
def test_two_triggerers_that_decide_at_the_same_moment_start_one_driver(
    state_files: StateFiles, make_desired_state: Make, clock: Clock, backend: FakeBackend, desired: str
) -> None:
    state_files.write_desired_state(make_desired_state(token="old"))
    decided = make_desired_state(token="new", desired=desired)
    racing = RacingFiles(state_files._uri, lambda: state_files.write_desired_state(decided))
    backend.process = Process(False, -9, "STOPPED", "old")
    clock.at(9, lambda: setattr(backend, "process", Process(False, 1, "EXITED", "new")))
    run = StreamRun(
        Plan("new", "old", NOON), Stream(racing, backend, POLICY, Pace()), clock, clock.sleep, clock.monotonic
    )
    verdict, calls = {"run": (Verdict.DEAD_OR_FROZEN, ["start new"]), "stop": (Verdict.STOPPED, [])}[desired]
    assert (end(run).verdict, backend.calls) == (verdict, calls)
    assert state_files.desired_state() == decided


def test_a_stop_requested_while_the_process_starts_is_kept(
    make_run: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = backend.start

    def stopped_meanwhile(token: str) -> None:
        asyncio.run(asyncio.wait_for(make_run().stop("a person"), 20))
        start(token)

    monkeypatch.setattr(backend, "start", stopped_meanwhile)
    clock.at(3, lambda: setattr(backend, "process", Process(False, 0, "EXITED", "new")))
    status = end(make_run())
    desired_state = state_files.desired_state()
    assert desired_state is not None
    assert (desired_state.token, desired_state.desired, desired_state.reason) == ("new", "stop", "a person")
    assert (status.verdict, clock.now) == (Verdict.STOPPED, NOON + timedelta(seconds=3))


def test_a_stop_that_another_start_overwrote_is_requested_again(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock
) -> None:
    running = make_desired_state(token="new")
    state_files.write_desired_state(running)
    backend.process = OLD
    clock.at(2, lambda: state_files.write_desired_state(running))
    clock.at(5, lambda: setattr(backend, "process", Process(False, 0, "EXITED", "new")))
    asyncio.run(asyncio.wait_for(make_run().stop("a person"), 20))
    desired_state = state_files.desired_state()
    assert desired_state is not None
    assert (desired_state.desired, clock.now) == ("stop", NOON + timedelta(seconds=5))
