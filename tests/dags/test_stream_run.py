"""One stream run against real state files and a fake process."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.airflow.backends.base import BackendError, Process
from csat.airflow.decide import Plan, RunStatus
from csat.airflow.stream import Pace, Stream
from csat.airflow.stream_run import StreamRun
from csat.control.state_files import StateFiles, StateFilesUnreachableError
from csat.control.verdict import DesiredState, Policy, State, Verdict

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
POLICY = Policy(startup=120, stale=20, stalled=120, lagging=600, slow_batches=10, memory_heartbeats=5, max_age=86_400)
AT_ONCE = Plan("new", "", NOON)
Make = Callable[..., Any]


class FakeBackend:
    """A fake process that starts and stops on request, or ends when the test says so."""

    def __init__(self) -> None:
        self.process = Process(False, None, "STOPPED")
        self.calls: list[str] = []

    def start(self, token: str) -> None:
        if self.process.token == token:
            return
        self.calls.append(f"start {token}")
        self.process = Process(True, None, "RUNNING", token)

    def state(self) -> Process:
        return self.process

    def stop(self, grace_seconds: float) -> None:
        self.calls.append("stop")
        self.process = Process(False, -1, "STOPPED", self.process.token)

    def log_tail(self, lines: int) -> list[str]:
        return ["last line"]


class SilentBackend(FakeBackend):
    """A backend that cannot be reached."""

    def state(self) -> Process:
        raise BackendError("no supervisord")

    def start(self, token: str) -> None:
        raise BackendError("no supervisord")


class Clock:
    """Time that passes only in sleep; actions run at set seconds."""

    def __init__(self) -> None:
        self.now = NOON
        self.elapsed = 0.0
        self.events: dict[int, Callable[[], None]] = {}

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.elapsed

    def set(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    def at(self, second: int, happens: Callable[[], None]) -> None:
        self.events[second] = happens

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.elapsed += seconds
        assert self.elapsed < 1000, "the run does not end"
        for second in [second for second in self.events if second <= self.elapsed]:
            self.events.pop(second)()
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def make_run(state_files: StateFiles, clock: Clock, backend: FakeBackend) -> Callable[..., StreamRun]:
    def make(plan: Plan = AT_ONCE, process: FakeBackend = backend) -> StreamRun:
        return StreamRun(plan, Stream(state_files, process, POLICY, Pace()), clock, clock.sleep, clock.monotonic)

    return make


def end(stream_run: StreamRun) -> RunStatus:
    return asyncio.run(asyncio.wait_for(stream_run.end(), 20))


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


def test_stop_requests_the_driver_to_exit_and_waits_for_it(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock
) -> None:
    state_files.write_desired_state(make_desired_state(token="new"))
    backend.process = Process(True, None, "RUNNING", "new")
    clock.at(5, lambda: setattr(backend, "process", Process(False, 0, "EXITED", "new")))
    asyncio.run(asyncio.wait_for(make_run().stop("a person"), 20))
    desired_state = state_files.desired_state()
    assert desired_state is not None
    assert (desired_state.desired, desired_state.reason, backend.calls) == ("stop", "a person", [])
    assert clock.now == NOON + timedelta(seconds=5)


def test_stop_kills_a_driver_that_does_not_exit(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend, clock: Clock
) -> None:
    state_files.write_desired_state(make_desired_state(token="new"))
    backend.process = Process(True, None, "RUNNING", "new")
    asyncio.run(asyncio.wait_for(make_run().stop("a person"), 20))
    assert backend.calls == ["stop"]
    assert clock.now == NOON + timedelta(seconds=20)


def test_stop_does_not_touch_the_driver_of_another_run(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend
) -> None:
    state_files.write_desired_state(make_desired_state(token="other"))
    backend.process = Process(True, None, "RUNNING", "new")
    asyncio.run(asyncio.wait_for(make_run().stop("a person"), 20))
    assert backend.calls == []
    assert state_files.desired_state() == make_desired_state(token="other")


def test_a_run_stopped_during_its_back_off_starts_nothing(
    make_run: Make, make_desired_state: Make, state_files: StateFiles, backend: FakeBackend
) -> None:
    state_files.write_desired_state(make_desired_state(token="a"))
    stream_run = make_run(Plan("new", "a", NOON))
    asyncio.run(asyncio.wait_for(stream_run.stop("a person"), 20))
    assert end(stream_run).verdict is Verdict.STOPPED
    assert (state_files.desired_state(), backend.calls) == (make_desired_state(token="a"), [])


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


class SilentStore(StateFiles):
    """StateFiles in a store that does not respond while it is silent."""

    is_silent = True

    def desired_state(self) -> DesiredState | None:
        if self.is_silent:
            raise StateFilesUnreachableError("gs://a/desired_state.json cannot be accessed")
        return super().desired_state()


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
