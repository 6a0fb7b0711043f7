"""One life of the stream against real documents and a process that exists only here."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.documents import Documents, DocumentsUnreachableError
from csat.health import Control, Policy, State, Verdict
from guard.backends import BackendError, Process
from guard.decide import Look, Plan
from guard.life import Life
from guard.stream import Pace, Stream

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
POLICY = Policy(startup=120, stale=20, stalled=120, lagging=600, slow_batches=10, memory_beats=5, max_age=86_400)
AT_ONCE = Plan("new", "", NOON)
Make = Callable[..., Any]


class FakeBackend:
    """A process that starts when told, and ends when told or when the test says so."""

    def __init__(self) -> None:
        self.process = Process(False, None, "STOPPED")
        self.calls: list[str] = []

    def start(self, token: str) -> None:
        self.calls.append(f"start {token}")
        self.process = Process(True, None, "RUNNING")

    def state(self) -> Process:
        return self.process

    def stop(self, grace_seconds: float) -> None:
        self.calls.append("stop")
        self.process = Process(False, -1, "STOPPED")

    def log_tail(self, lines: int) -> list[str]:
        return ["last line"]


class SilentBackend(FakeBackend):
    """A backend that cannot be reached."""

    def state(self) -> Process:
        raise BackendError("no supervisord")

    def start(self, token: str) -> None:
        raise BackendError("no supervisord")


class Clock:
    """Time that passes in sleep only; at a set second something happens."""

    def __init__(self) -> None:
        self.now = NOON
        self.events: dict[int, Callable[[], None]] = {}

    def __call__(self) -> datetime:
        return self.now

    def at(self, second: int, happens: Callable[[], None]) -> None:
        self.events[second] = happens

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        elapsed = (self.now - NOON).total_seconds()
        assert elapsed < 1000, "the life has no end"
        for second in [second for second in self.events if second <= elapsed]:
            self.events.pop(second)()
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def make_life(documents: Documents, clock: Clock, backend: FakeBackend) -> Callable[..., Life]:
    def make(plan: Plan = AT_ONCE, process: FakeBackend = backend) -> Life:
        return Life(plan, Stream(documents, process, POLICY, Pace()), clock, clock.sleep)

    return make


def end(life: Life) -> Look:
    return asyncio.run(asyncio.wait_for(life.end(), 20))


def test_a_life_starts_its_driver_after_it_has_written_the_new_token(
    make_life: Make, documents: Documents, backend: FakeBackend, clock: Clock
) -> None:
    seen: list[str] = []
    start = backend.start

    def spy(token: str) -> None:
        control = documents.control()
        seen.append(control.token if control else "none")
        start(token)

    backend.start = spy  # type: ignore[method-assign]
    clock.at(3, lambda: setattr(backend, "process", Process(False, -1, "EXITED")))
    end(make_life())
    assert seen == ["new"]


def test_a_dead_process_ends_the_life_at_once_though_its_beat_is_fresh(
    make_life: Make, make_health: Make, documents: Documents, backend: FakeBackend, clock: Clock
) -> None:
    documents.write_health(make_health(token="new"))
    clock.at(3, lambda: setattr(backend, "process", Process(False, -1, "EXITED")))
    look = end(make_life())
    assert (look.verdict, clock.now) == (Verdict.DEAD_OR_FROZEN, NOON + timedelta(seconds=3))


def test_a_driver_that_never_beats_ends_the_life_after_the_start_up_time(make_life: Make, clock: Clock) -> None:
    assert end(make_life()).verdict is Verdict.NEVER_STARTED
    assert clock.now == NOON + timedelta(seconds=121)


def test_a_second_run_with_the_same_token_watches_and_starts_nothing(
    make_life: Make, make_control: Make, documents: Documents, backend: FakeBackend, clock: Clock
) -> None:
    documents.write_control(make_control(token="new"))
    backend.process = Process(True, None, "RUNNING")
    clock.at(5, lambda: setattr(backend, "process", Process(False, 75, "EXITED")))
    assert end(make_life(Plan("new", "a", NOON + timedelta(seconds=60)))).verdict is Verdict.SUPERSEDED
    assert backend.calls == []


def test_a_life_whose_place_is_taken_ends_without_touching_the_other_driver(
    make_life: Make, make_control: Make, documents: Documents, backend: FakeBackend
) -> None:
    documents.write_control(make_control(token="third"))
    assert end(make_life(Plan("new", "a", NOON))).verdict is Verdict.SUPERSEDED
    assert backend.calls == []
    assert documents.control() == make_control(token="third")


def test_a_newer_token_during_the_watch_ends_the_life(
    make_life: Make, make_control: Make, documents: Documents, clock: Clock
) -> None:
    clock.at(4, lambda: documents.write_control(make_control(token="third")))
    assert end(make_life()).verdict is Verdict.SUPERSEDED


def test_the_back_off_is_waited_before_the_start(
    make_life: Make, make_control: Make, documents: Documents, backend: FakeBackend, clock: Clock
) -> None:
    documents.write_control(make_control(token="a"))
    clock.at(29, lambda: backend.calls.append("29 s"))
    clock.at(32, lambda: setattr(backend, "process", Process(False, 1, "EXITED")))
    end(make_life(Plan("new", "a", NOON + timedelta(seconds=30))))
    control = documents.control()
    assert backend.calls == ["29 s", "start new"]
    assert control is not None
    assert control.started_at == (NOON + timedelta(seconds=30),)


@pytest.mark.parametrize(("change", "verdict"), [("memory_high_beats", "memory"), ("code_version", "recycle")])
def test_a_driver_due_for_a_recycle_is_asked_to_leave_and_may_end_its_batch(
    make_life: Make, make_health: Make, documents: Documents, clock: Clock, change: str, verdict: str
) -> None:
    old = make_health(token="new", memory_high_beats=5) if change == "memory_high_beats" else None
    documents.write_health(old or make_health(token="new", started_at=NOON - timedelta(days=2)))
    clock.at(40, lambda: documents.write_health(make_health(token="new", state=State.STOPPED)))
    look = end(make_life())
    control = documents.control()
    assert (look.verdict.value, clock.now) == (verdict, NOON + timedelta(seconds=40))
    assert control is not None
    assert (control.desired, control.reason.split(":")[0]) == ("stop", verdict)


def test_a_driver_that_does_not_leave_when_asked_is_ended(
    make_life: Make, make_health: Make, documents: Documents, backend: FakeBackend, clock: Clock
) -> None:
    documents.write_health(make_health(token="new", started_at=NOON - timedelta(days=2)))
    assert end(make_life()).verdict is Verdict.RECYCLE
    assert backend.calls == ["start new", "stop"]
    assert timedelta(seconds=60) < clock.now - NOON < timedelta(seconds=65)


def test_stop_asks_the_driver_to_leave_and_waits_for_it(
    make_life: Make, make_control: Make, documents: Documents, backend: FakeBackend, clock: Clock
) -> None:
    documents.write_control(make_control(token="new"))
    backend.process = Process(True, None, "RUNNING")
    clock.at(5, lambda: setattr(backend, "process", Process(False, 0, "EXITED")))
    asyncio.run(asyncio.wait_for(make_life().stop("a person"), 20))
    control = documents.control()
    assert control is not None
    assert (control.desired, control.reason, backend.calls) == ("stop", "a person", [])
    assert clock.now == NOON + timedelta(seconds=5)


def test_stop_ends_a_driver_that_does_not_leave(
    make_life: Make, make_control: Make, documents: Documents, backend: FakeBackend, clock: Clock
) -> None:
    documents.write_control(make_control(token="new"))
    backend.process = Process(True, None, "RUNNING")
    asyncio.run(asyncio.wait_for(make_life().stop("a person"), 20))
    assert backend.calls == ["stop"]
    assert clock.now == NOON + timedelta(seconds=20)


def test_stop_leaves_the_driver_of_another_life_alone(
    make_life: Make, make_control: Make, documents: Documents, backend: FakeBackend
) -> None:
    documents.write_control(make_control(token="other"))
    backend.process = Process(True, None, "RUNNING")
    asyncio.run(asyncio.wait_for(make_life().stop("a person"), 20))
    assert backend.calls == []
    assert documents.control() == make_control(token="other")


def test_a_life_stopped_during_its_back_off_starts_nothing(
    make_life: Make, make_control: Make, documents: Documents, backend: FakeBackend
) -> None:
    documents.write_control(make_control(token="a"))
    life = make_life(Plan("new", "a", NOON))
    asyncio.run(asyncio.wait_for(life.stop("a person"), 20))
    assert end(life).verdict is Verdict.STOPPED
    assert (documents.control(), backend.calls) == (make_control(token="a"), [])


def test_a_backend_that_cannot_start_ends_the_life_with_the_fix(make_life: Make, documents: Documents) -> None:
    look = end(make_life(process=SilentBackend()))
    assert (look.verdict, look.detail) == (Verdict.NEVER_STARTED, "no supervisord")
    control = documents.control()
    assert control is not None
    assert control.started_at == (NOON,)


def test_a_silent_backend_does_not_end_a_life_whose_beat_is_fresh(
    make_life: Make, make_control: Make, make_health: Make, documents: Documents, clock: Clock
) -> None:
    documents.write_control(make_control(token="new"))
    documents.write_health(make_health(token="new"))
    assert end(make_life(process=SilentBackend())).verdict is Verdict.DEAD_OR_FROZEN
    assert clock.now == NOON + timedelta(seconds=21)


def test_a_broken_control_document_is_written_anew(
    make_life: Make, documents: Documents, tmp_path: Any, backend: FakeBackend, clock: Clock
) -> None:
    (tmp_path / "stream").mkdir()
    (tmp_path / "stream" / "control.json").write_text("{")
    clock.at(2, lambda: setattr(backend, "process", Process(False, 1, "EXITED")))
    end(make_life())
    assert backend.calls == ["start new"]


class SilentStore(Documents):
    """Documents in a store that does not answer while it is silent."""

    is_silent = True

    def control(self) -> Control | None:
        if self.is_silent:
            raise DocumentsUnreachableError("gs://a/control.json cannot be asked")
        return super().control()


def test_a_store_that_does_not_answer_ends_no_life_and_starts_no_driver(
    documents: Documents, make_control: Make, clock: Clock, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    documents.write_control(make_control(token="new"))
    backend.process = Process(True, None, "RUNNING")
    store = SilentStore(documents._uri)
    clock.at(30, lambda: setattr(store, "is_silent", False))
    clock.at(40, lambda: setattr(backend, "process", Process(False, 75, "EXITED")))
    look = end(Life(AT_ONCE, Stream(store, backend, POLICY, Pace()), clock, clock.sleep))
    assert (look.verdict, clock.now, backend.calls) == (Verdict.SUPERSEDED, NOON + timedelta(seconds=40), [])
    assert caplog.text.count("cannot be asked") == 1
