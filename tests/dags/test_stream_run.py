"""One stream run against real state files and a fake process."""

from datetime import timedelta
from typing import Any

import pytest

from csat.airflow.backends.base import Process
from csat.airflow.decide import Plan
from csat.airflow.stream import Pace, Stream
from csat.airflow.stream_run import StreamRun
from csat.control.state_files import StateFiles
from csat.control.verdict import State, Verdict
from tests.dags.fake_run import AT_ONCE, NOON, POLICY, Clock, FakeBackend, Make, SilentBackend, SilentStore, end


def test_a_run_writes_the_new_token_before_it_starts_its_driver(
    make_run: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    start = backend.start

    def spy(token: str) -> None:
        desired_state = state_files.desired_state()
        seen.append(desired_state.token if desired_state else "none")
        start(token)

    monkeypatch.setattr(backend, "start", spy)
    clock.at(3, lambda: setattr(backend, "process", Process(False, -1, "EXITED", "new")))
    end(make_run())
    assert seen == ["new"]


def test_a_dead_process_ends_the_run_at_once_despite_a_recent_heartbeat(
    make_run: Make, make_heartbeat: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock
) -> None:
    state_files.write_heartbeat(make_heartbeat(token="new"))
    clock.at(3, lambda: setattr(backend, "process", Process(False, -1, "EXITED", "new")))
    status = end(make_run())
    assert (status.verdict, clock.now) == (Verdict.DEAD_OR_FROZEN, NOON + timedelta(seconds=3))


def test_a_driver_without_a_heartbeat_ends_the_run_after_the_start_up_time(make_run: Make, clock: Clock) -> None:
    assert end(make_run()).verdict is Verdict.NEVER_STARTED
    assert clock.now == NOON + timedelta(seconds=121)


def test_a_second_trigger_with_the_same_token_watches_and_starts_nothing(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock
) -> None:
    state_files.write_desired_state(make_desired_state(token="new"))
    backend.process = Process(True, None, "RUNNING", "new")
    clock.at(5, lambda: setattr(backend, "process", Process(False, 75, "EXITED", "new")))
    assert end(make_run(Plan("new", "a", NOON + timedelta(seconds=60)))).verdict is Verdict.SUPERSEDED
    assert backend.calls == []


def test_a_superseded_run_ends_without_touching_the_other_driver(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend
) -> None:
    state_files.write_desired_state(make_desired_state(token="third"))
    assert end(make_run(Plan("new", "a", NOON))).verdict is Verdict.SUPERSEDED
    assert backend.calls == []
    assert state_files.desired_state() == make_desired_state(token="third")


def test_a_newer_token_ends_the_run(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, clock: Clock
) -> None:
    clock.at(4, lambda: state_files.write_desired_state(make_desired_state(token="third")))
    assert end(make_run()).verdict is Verdict.SUPERSEDED


def test_the_start_waits_for_the_back_off(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock
) -> None:
    state_files.write_desired_state(make_desired_state(token="a"))
    clock.at(29, lambda: backend.calls.append("29 s"))
    clock.at(32, lambda: setattr(backend, "process", Process(False, 1, "EXITED", "new")))
    end(make_run(Plan("new", "a", NOON + timedelta(seconds=30))))
    desired_state = state_files.desired_state()
    assert backend.calls == ["29 s", "start new"]
    assert desired_state is not None
    assert desired_state.started_at == (NOON + timedelta(seconds=30),)


@pytest.mark.parametrize(("change", "verdict"), [("memory_high_heartbeats", "memory"), ("code_version", "recycle")])
def test_a_driver_due_for_a_recycle_is_requested_to_stop_and_may_finish_its_batch(
    make_run: Make, make_heartbeat: Make, state_files: StateFiles, clock: Clock, change: str, verdict: str
) -> None:
    old = make_heartbeat(token="new", memory_high_heartbeats=5) if change == "memory_high_heartbeats" else None
    state_files.write_heartbeat(old or make_heartbeat(token="new", started_at=NOON - timedelta(days=2)))
    clock.at(40, lambda: state_files.write_heartbeat(make_heartbeat(token="new", state=State.STOPPED)))
    status = end(make_run())
    desired_state = state_files.desired_state()
    assert (status.verdict.value, clock.now) == (verdict, NOON + timedelta(seconds=40))
    assert desired_state is not None
    assert (desired_state.desired, desired_state.reason.split(":")[0]) == ("stop", verdict)


def test_a_driver_that_ignores_a_stop_request_is_killed(
    make_run: Make, make_heartbeat: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock
) -> None:
    state_files.write_heartbeat(make_heartbeat(token="new", started_at=NOON - timedelta(days=2)))
    assert end(make_run()).verdict is Verdict.RECYCLE
    assert backend.calls == ["start new", "stop"]
    assert timedelta(seconds=60) < clock.now - NOON < timedelta(seconds=65)


def test_a_backend_that_cannot_start_ends_the_run_with_the_fix(make_run: Make, state_files: StateFiles) -> None:
    status = end(make_run(process=SilentBackend()))
    assert (status.verdict, status.detail) == (Verdict.NEVER_STARTED, "no supervisord")
    desired_state = state_files.desired_state()
    assert desired_state is not None
    assert desired_state.started_at == (NOON,)


def test_an_unreachable_backend_does_not_end_a_run_with_a_recent_heartbeat(
    make_run: Make, make_desired_state: Make, make_heartbeat: Make, state_files: StateFiles, clock: Clock
) -> None:
    state_files.write_desired_state(make_desired_state(token="new"))
    state_files.write_heartbeat(make_heartbeat(token="new"))
    assert end(make_run(process=SilentBackend())).verdict is Verdict.DEAD_OR_FROZEN
    assert clock.now == NOON + timedelta(seconds=21)


def test_a_broken_desired_state_is_rewritten(
    make_run: Make, state_files: StateFiles, tmp_path: Any, backend: FakeBackend, clock: Clock
) -> None:
    (tmp_path / "stream").mkdir()
    (tmp_path / "stream" / "desired_state.json").write_text("{")
    clock.at(2, lambda: setattr(backend, "process", Process(False, 1, "EXITED", "new")))
    end(make_run())
    assert backend.calls == ["start new"]


def test_an_unreachable_store_ends_no_run_and_starts_no_driver(
    state_files: StateFiles,
    make_desired_state: Make,
    clock: Clock,
    backend: FakeBackend,
    caplog: pytest.LogCaptureFixture,
) -> None:
    state_files.write_desired_state(make_desired_state(token="new"))
    backend.process = Process(True, None, "RUNNING", "new")
    store = SilentStore(state_files._uri)
    clock.at(30, lambda: setattr(store, "is_silent", False))
    clock.at(40, lambda: setattr(backend, "process", Process(False, 75, "EXITED", "new")))
    status = end(StreamRun(AT_ONCE, Stream(store, backend, POLICY, Pace()), clock, clock.sleep, clock.monotonic))
    assert (status.verdict, clock.now, backend.calls) == (Verdict.SUPERSEDED, NOON + timedelta(seconds=40), [])
    assert caplog.text.count("cannot be accessed") == 1
