"""Which of several drivers has the stream, for each order in which they write and read."""

import itertools
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from csat.contract.errors import CsatError
from csat.control.state_files import StateFiles
from csat.control.verdict import DesiredState, Heartbeat, State
from spark.claim import Claim, Order, order, patiently, take_over
from spark.heartbeat import HeartbeatWriter
from spark.stream_responses import Fence
from spark.waiting import Waiting


def desired_state(now, token="t1", desired="run"):
    return DesiredState(token=token, desired=desired, reason="test", at=now)


def heartbeat(now, token="t1", driver_id="d1"):
    return Heartbeat(token=token, driver_id=driver_id, state=State.STARTING, at=now, started_at=now)


@pytest.fixture
def state_files(tmp_path, now):
    store = StateFiles(str(tmp_path))
    store.write_desired_state(desired_state(now))
    return store


@pytest.mark.parametrize("used", [True, False], ids=["used token", "unused token"])
def test_a_driver_without_a_token_takes_the_stream_over_with_a_new_one(state_files, now, used):
    if used:
        state_files.write_heartbeat(heartbeat(now))
    token = take_over(state_files, "d2", now)
    written = state_files.desired_state()
    assert token != "t1"
    assert (written.token, written.desired, written.reason) == (token, "run", "claimed by driver d2")
    assert Claim(state_files, "t1", "d1").order() is Order.EXIT
    assert Claim(state_files, token, "d2").order() is Order.RUN


@pytest.mark.parametrize("broken", [None, "{"], ids=["missing", "invalid"])
def test_a_driver_without_a_token_needs_no_desired_state(tmp_path, now, broken):
    if broken:
        (tmp_path / "desired_state.json").write_text(broken)
    store = StateFiles(str(tmp_path))
    token = take_over(store, "d2", now)
    written = store.desired_state()
    assert written is not None
    assert token == written.token


@pytest.mark.parametrize(
    ("token", "desired", "expected"),
    [("t1", "run", Order.RUN), ("t1", "stop", Order.STOP), ("t2", "run", Order.EXIT), ("t2", "stop", Order.EXIT)],
)
def test_order_follows_the_desired_state(now, token, desired, expected):
    assert order(desired_state(now, token=token, desired=desired), None, "t1", "d1") is expected


def test_order_is_to_exit_when_there_is_no_desired_state():
    assert order(None, None, "t1", "d1") is Order.EXIT


@pytest.mark.parametrize(
    ("token", "driver_id", "expected"),
    [("t1", "d1", Order.RUN), ("t1", "d2", Order.EXIT), ("t0", "d0", Order.RUN)],
    ids=["own", "of another driver with the same token", "of the last run"],
)
def test_order_is_to_exit_when_the_heartbeat_names_another_driver_with_the_token(now, token, driver_id, expected):
    assert order(desired_state(now), heartbeat(now, token, driver_id), "t1", "d1") is expected


def test_an_invalid_heartbeat_names_no_driver(state_files, tmp_path):
    (tmp_path / "heartbeat.json").write_text("{")
    assert Claim(state_files, "t1", "d1").order() is Order.RUN


def test_unreadable_state_files_lose_no_claim(state_files, tmp_path):
    (tmp_path / "desired_state.json").write_text("{")
    assert not Claim(state_files, "t1", "d1").is_lost()


class Schedule:
    """Lets two drivers access the state files in a given order of turns; one that has ended takes none."""

    def __init__(self, turns: Iterable[str]) -> None:
        self._turns, self._ended, self._changed = list(turns), set[str](), threading.Condition()

    @contextmanager
    def turn(self, driver_id: str) -> Iterator[None]:
        with self._changed:
            assert self._changed.wait_for(lambda: self._is_next(driver_id), 20), "the schedule does not end"
            yield
            self._turns.remove(driver_id)
            self._changed.notify_all()

    def end(self, driver_id: str) -> None:
        with self._changed:
            self._ended.add(driver_id)
            self._changed.notify_all()

    def _is_next(self, driver_id: str) -> bool:
        return next((turn for turn in self._turns if turn not in self._ended), "") == driver_id


class ScheduledFiles(StateFiles):
    """One driver's state files: each access waits for its turn."""

    def __init__(self, uri: str, schedule: Schedule, driver_id: str) -> None:
        super().__init__(uri)
        self._schedule, self._driver_id = schedule, driver_id

    def _read(self, *arguments: Any) -> Any:
        with self._schedule.turn(self._driver_id):
            return super()._read(*arguments)

    def _write(self, *arguments: Any) -> None:
        with self._schedule.turn(self._driver_id):
            super()._write(*arguments)


ACCESSES = 5  # two reads and a write before the session, two reads before the query


def starts(folder: str, schedule: Schedule, driver_id: str, now: datetime) -> bool:
    """Whether this driver starts its query."""
    try:
        files = ScheduledFiles(folder, schedule, driver_id)
        writer = HeartbeatWriter(files, heartbeat(now, driver_id=driver_id), heartbeat_seconds=5, trigger_seconds=5)
        return writer.report(State.STARTING) and writer.exit_code_before_start() is None
    finally:
        schedule.end(driver_id)


def test_one_of_two_drivers_with_one_token_continues_in_every_interleaving(state_files, tmp_path, now):
    with ThreadPoolExecutor(2) as pool:
        for first in itertools.combinations(range(2 * ACCESSES), ACCESSES):
            (tmp_path / "heartbeat.json").unlink(missing_ok=True)
            turns = ["d1" if turn in first else "d2" for turn in range(2 * ACCESSES)]
            schedule = Schedule(turns)
            asked = {name: pool.submit(starts, str(tmp_path), schedule, name, now) for name in ("d1", "d2")}
            started = [name for name, answer in asked.items() if answer.result(30)]
            # One that read before the other wrote notices at its next heartbeat, or before its first load job
            continuing = [name for name in started if not Claim(state_files, "t1", name).is_lost()]
            assert len(continuing) == 1, turns


def fails(times, error=PermissionError("denied")):
    """An operation on the state files that fails so many times, then returns "read"."""
    left = iter(range(times))

    def operation():
        if next(left, None) is not None:
            raise error
        return "read"

    return operation


class Elapsed:
    """A monotonic clock that moves two seconds at each call."""

    def __init__(self):
        self.seconds = 0

    def __call__(self):
        self.seconds += 2
        return self.seconds


def test_state_files_that_cannot_be_read_for_minutes_are_waited_for():
    waiting, elapsed = Waiting(), Elapsed()
    seen: list[Any] = []
    read = patiently(fails(200), waiting, elapsed, lambda seconds: seen.append(waiting.current))
    assert (read, len(seen), waiting.current) == ("read", 200, None)
    assert {reason for reason, _ in seen} == {"the state files, which cannot be accessed"}


def test_after_ten_minutes_without_state_files_the_error_is_raised():
    elapsed = Elapsed()
    with pytest.raises(PermissionError):
        patiently(fails(10_000), monotonic=elapsed, sleep=lambda seconds: None)
    assert elapsed.seconds < 11 * 60


class FailingFiles(StateFiles):
    """State files of which so many reads fail."""

    failures = 0

    def _read(self, *arguments: Any) -> Any:
        if self.failures:
            self.failures -= 1
            raise PermissionError("denied")
        return super()._read(*arguments)


def test_the_fence_waits_for_the_state_files_and_closes_for_another_driver(state_files, tmp_path, now, monkeypatch):
    files, waiting = FailingFiles(str(tmp_path)), Waiting()
    seen: list[Any] = []
    quick = partial(patiently, sleep=lambda seconds: seen.append(waiting.current))
    monkeypatch.setattr("spark.stream_responses.patiently", quick)
    fence = Fence(Claim(files, "t1", "d1"), waiting)
    files.failures = 2
    fence()
    assert (fence.is_closed, [reason for reason, _ in seen], waiting.current) == (
        False,
        ["the state files, which cannot be accessed"] * 2,
        None,
    )
    state_files.write_desired_state(desired_state(now, token="t2"))
    with pytest.raises(CsatError, match="another driver has the stream"):
        fence()
    assert fence.is_closed
