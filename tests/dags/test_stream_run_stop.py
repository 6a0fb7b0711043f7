"""A person stops one stream run: by request where the state files can be written, else by its process."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from csat.airflow.backends.base import Process
from csat.airflow.decide import Plan
from csat.airflow.stream import Pace, Stream
from csat.airflow.stream_run import StreamRun
from csat.control.state_files import StateFiles
from csat.control.verdict import Verdict
from tests.dags.fake_run import AT_ONCE, NOON, POLICY, Clock, FakeBackend, Make, SilentBackend, SilentStore, end

OWN = Process(True, None, "RUNNING", "new")


def stop(stream_run: StreamRun) -> None:
    asyncio.run(asyncio.wait_for(stream_run.stop("a person"), 20))


def test_stop_requests_the_driver_to_exit_and_waits_for_it(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock
) -> None:
    state_files.write_desired_state(make_desired_state(token="new"))
    backend.process = OWN
    clock.at(5, lambda: setattr(backend, "process", Process(False, 0, "EXITED", "new")))
    stop(make_run())
    desired_state = state_files.desired_state()
    assert desired_state is not None
    assert (desired_state.desired, desired_state.reason, backend.calls) == ("stop", "a person", [])
    assert clock.now == NOON + timedelta(seconds=5)


def test_stop_kills_a_driver_that_does_not_exit(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock
) -> None:
    state_files.write_desired_state(make_desired_state(token="new"))
    backend.process = OWN
    stop(make_run())
    assert backend.calls == ["stop"]
    assert clock.now == NOON + timedelta(seconds=20)


def test_stop_does_not_touch_the_driver_of_another_run(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend
) -> None:
    state_files.write_desired_state(make_desired_state(token="other"))
    backend.process = OWN
    stop(make_run())
    assert backend.calls == []
    assert state_files.desired_state() == make_desired_state(token="other")


def test_a_run_stopped_during_its_back_off_starts_nothing(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend
) -> None:
    state_files.write_desired_state(make_desired_state(token="a"))
    stream_run = make_run(Plan("new", "a", NOON))
    stop(stream_run)
    assert end(stream_run).verdict is Verdict.STOPPED
    assert (state_files.desired_state(), backend.calls) == (make_desired_state(token="a"), [])


@pytest.fixture
def make_silent_run(
    state_files: StateFiles, make_desired_state: Make, backend: FakeBackend, clock: Clock
) -> Callable[..., tuple[StreamRun, SilentStore]]:
    """Makes a run whose driver runs and whose state files do not respond."""
    state_files.write_desired_state(make_desired_state(token="new"))
    backend.process = OWN
    store = SilentStore(state_files._uri)

    def make(process: FakeBackend = backend) -> tuple[StreamRun, SilentStore]:
        return StreamRun(AT_ONCE, Stream(store, process, POLICY, Pace()), clock, clock.sleep, clock.monotonic), store

    return make


def test_a_stop_is_requested_once_the_state_files_respond(
    make_silent_run: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    run, store = make_silent_run()
    clock.at(5, lambda: setattr(store, "is_silent", False))
    clock.at(8, lambda: setattr(backend, "process", Process(False, 0, "EXITED", "new")))
    stop(run)
    desired_state = state_files.desired_state()
    assert desired_state is not None
    assert (desired_state.desired, backend.calls, clock.now) == ("stop", [], NOON + timedelta(seconds=8))
    assert caplog.text.count("cannot be accessed") == 1


def test_stop_ends_the_process_while_the_state_files_do_not_respond(
    make_silent_run: Make, backend: FakeBackend, clock: Clock
) -> None:
    run, _ = make_silent_run()
    stop(run)
    assert (backend.calls, clock.now) == (["stop"], NOON + timedelta(seconds=20))


@pytest.mark.parametrize("token", ["other", ""], ids=["of another run", "unknown"])
def test_stop_ends_no_process_that_may_be_of_another_run(
    make_silent_run: Make, backend: FakeBackend, clock: Clock, token: str
) -> None:
    run, _ = make_silent_run()
    backend.process = Process(True, None, "RUNNING", token)
    stop(run)
    assert (backend.calls, clock.now) == ([], NOON + timedelta(seconds=20))


def test_stop_ends_when_neither_the_state_files_nor_the_backend_respond(
    make_silent_run: Make, caplog: pytest.LogCaptureFixture
) -> None:
    silent = SilentBackend()
    stop(make_silent_run(silent)[0])
    assert silent.calls == []
    assert "no supervisord" in caplog.text


def test_a_slow_poll_does_not_delay_the_end_of_a_driver_that_does_not_exit(
    state_files: StateFiles, make_desired_state: Make, backend: FakeBackend, clock: Clock
) -> None:
    state_files.write_desired_state(make_desired_state(token="new"))
    backend.process = OWN
    pace = Pace(poll=15, grace=180)
    stop(StreamRun(AT_ONCE, Stream(state_files, backend, POLICY, pace), clock, clock.sleep, clock.monotonic))
    assert (backend.calls, clock.now) == (["stop"], NOON + timedelta(seconds=20))
