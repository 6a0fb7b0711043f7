"""What the heartbeat writer writes, obeys and leaves alone."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from csat.control.state_files import StateFileError, StateFiles
from csat.control.verdict import DesiredState, Heartbeat, State
from spark.heartbeat import HeartbeatWriter, Reading, with_reading
from spark.waiting import Waiting


def desired_state(now, token="t1", desired="run"):
    return DesiredState(token=token, desired=desired, reason="test", at=now)


def heartbeat(now, token="t1", **changes):
    values = {"token": token, "driver_id": "d1", "state": State.RUNNING, "at": now, "started_at": now}
    return Heartbeat(**(values | changes))


def reading(**changes):
    values = {"progress": None, "backlog": 0, "rows_committed": 0, "memory_share": 0.1, "memory_bytes": 1, "error": ""}
    return Reading(**(values | changes))


class FakeQuery:
    """A query that ends after some waits; runs an action at each."""

    def __init__(self, waits, at_wait=lambda number: None):
        self.waits, self.at_wait = waits, at_wait
        self.count = 0
        self.is_stopped = False

    def wait(self, seconds):
        self.count += 1
        self.at_wait(self.count)
        return self.count >= self.waits

    def read(self):
        return reading(rows_committed=self.count)

    def stop(self):
        self.is_stopped = True


class Clock:
    """A clock that moves two seconds at each call, and is set to another time when the test says so."""

    def __init__(self, start: datetime):
        self.time = start
        self.elapsed = 0.0

    def __call__(self):
        self.time += timedelta(seconds=2)
        return self.time

    def monotonic(self):
        self.elapsed += 2
        return self.elapsed


@pytest.fixture
def state_files(tmp_path, now):
    store = StateFiles(str(tmp_path))
    store.write_desired_state(desired_state(now))
    return store


@pytest.fixture
def clock(now):
    return Clock(now)


@pytest.fixture
def writer(state_files, clock, now):
    pace = {"heartbeat_seconds": 5, "trigger_seconds": 5}
    return HeartbeatWriter(state_files, heartbeat(now), **pace, clock=clock, monotonic=clock.monotonic)


def test_writer_returns_0_and_reports_stopped_when_the_query_ends(writer, state_files):
    query = FakeQuery(waits=3)
    assert writer.watch(query) == 0
    assert state_files.heartbeat().state is State.STOPPED
    assert state_files.heartbeat().rows_committed == 3


def test_writer_stops_the_query_when_the_desired_state_is_stop(writer, state_files, now):
    query = FakeQuery(waits=100, at_wait=lambda n: state_files.write_desired_state(desired_state(now, desired="stop")))
    assert writer.watch(query) == 0
    assert query.is_stopped
    assert query.count < 5


@pytest.mark.parametrize("hours", [-3, 3])
def test_writer_keeps_its_pace_when_the_clock_is_set(writer, state_files, clock, now, hours):
    def set_clock(number):
        if number == 10:
            clock.time += timedelta(hours=hours)
        if number == 20:
            state_files.write_desired_state(desired_state(now, desired="stop"))

    query = FakeQuery(waits=100, at_wait=set_clock)
    assert writer.watch(query) == 0
    assert query.count < 25
    assert abs(state_files.heartbeat().at - now - timedelta(hours=hours)) < timedelta(minutes=5)


def test_writer_waits_ten_minutes_for_the_desired_state_however_the_clock_is_set(writer, tmp_path, clock):
    (tmp_path / "desired_state.json").write_text("half a fi")
    query = FakeQuery(waits=50, at_wait=lambda number: setattr(clock, "time", clock.time + timedelta(hours=1)))
    assert writer.watch(query) == 0


def test_writer_returns_75_and_writes_nothing_when_the_token_is_another_drivers(writer, state_files, now):
    def supersede(number):
        state_files.write_desired_state(desired_state(now, token="t2"))
        state_files.write_heartbeat(heartbeat(now, token="t2"))

    assert writer.watch(FakeQuery(waits=100, at_wait=supersede)) == 75
    assert state_files.heartbeat().token == "t2"


def test_writer_returns_75_and_writes_nothing_when_another_driver_has_its_token(writer, state_files, now):
    other = heartbeat(now, driver_id="d2")
    query = FakeQuery(waits=100, at_wait=lambda number: state_files.write_heartbeat(other))
    assert writer.watch(query) == 75
    assert query.is_stopped
    assert state_files.heartbeat() == other


@pytest.mark.parametrize(
    ("desired", "code", "state"), [("run", None, State.STARTING), ("stop", 0, State.STOPPED)], ids=["run", "stop"]
)
def test_a_stop_requested_during_start_up_ends_the_driver_before_its_query(
    writer, state_files, now, desired, code, state
):
    assert writer.report(State.STARTING)
    state_files.write_desired_state(desired_state(now, desired=desired))
    assert writer.exit_code_before_start() == code
    assert state_files.heartbeat().state is state


def test_a_start_that_waits_says_for_what_and_ends_with_its_step(state_files, now):
    writer = HeartbeatWriter(state_files, heartbeat(now), heartbeat_seconds=0.01, trigger_seconds=5, clock=Clock(now))
    assert writer.report(State.STARTING)
    waiting, released = Waiting(lambda: now), threading.Event()
    seen: list[Heartbeat] = []

    def step():
        with waiting.on("load job j"):
            while not (seen and seen[-1].waiting_for):
                seen.append(state_files.heartbeat())
        released.set()

    with ThreadPoolExecutor(1) as pool:
        assert writer.watch_start(pool.submit(step), waiting) is None
    assert released.is_set()
    last = seen[-1]
    assert (last.state, last.waiting_for, last.waiting_since) == (State.STARTING, "load job j", now)
    assert last.waited_until > now


@pytest.mark.parametrize(("token", "desired", "code"), [("t1", "stop", 0), ("t2", "run", 75)])
def test_a_start_that_waits_ends_when_it_is_stopped_or_superseded(state_files, now, token, desired, code):
    writer = HeartbeatWriter(state_files, heartbeat(now), heartbeat_seconds=0.01, trigger_seconds=5, clock=Clock(now))
    state_files.write_desired_state(desired_state(now, token=token, desired=desired))
    end = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        assert writer.watch_start(pool.submit(end.wait, 20), Waiting()) == code
        end.set()


def test_a_step_of_the_start_that_fails_raises_its_error(writer):
    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="why"):
        writer.watch_start(pool.submit(int, "why"), Waiting())


def test_sigterm_during_start_up_ends_the_driver_before_its_query(writer, state_files):
    writer.stop_at_sigterm()
    try:
        signal.raise_signal(signal.SIGTERM)
        assert writer.exit_code_before_start() == 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert state_files.heartbeat().state is State.STOPPED


def test_a_driver_superseded_during_start_up_exits_before_its_query(writer, state_files, now):
    assert writer.report(State.STARTING)
    before = state_files.heartbeat()
    state_files.write_desired_state(desired_state(now, token="t2"))
    assert writer.exit_code_before_start() == 75
    assert state_files.heartbeat() == before


def test_writer_does_not_overwrite_its_successor_when_the_query_fails(writer, state_files, now):
    state_files.write_desired_state(desired_state(now, token="t2"))
    state_files.write_heartbeat(heartbeat(now, token="t2"))
    assert not writer.report(State.FAILED, "boom")
    assert state_files.heartbeat().token == "t2"


def test_writer_names_the_batch_that_the_query_failed_in(writer, state_files):
    assert writer.report(State.FAILED, "boom", failed_batch="q-7")
    written = state_files.heartbeat()
    assert (written.state, written.error, written.failed_batch) == (State.FAILED, "boom", "q-7")


def test_writer_continues_when_the_desired_state_cannot_be_read_for_a_while(writer, tmp_path, state_files):
    (tmp_path / "desired_state.json").write_text("half a fi")
    assert writer.watch(FakeQuery(waits=50)) == 0
    assert state_files.heartbeat().state is State.STOPPED


def test_writer_fails_when_the_desired_state_cannot_be_read_for_ten_minutes(writer, tmp_path):
    (tmp_path / "desired_state.json").write_text("half a fi")
    with pytest.raises(StateFileError, match=r"desired_state\.json is not a valid DesiredState; delete it"):
        writer.watch(FakeQuery(waits=1000))


PROGRESS = {
    "id": "q1",
    "batchId": 7,
    "timestamp": "2026-11-20T12:00:00.000Z",
    "durationMs": {"triggerExecution": 6500},
    "inputRowsPerSecond": 100.0,
    "processedRowsPerSecond": 50.0,
}


def test_heartbeat_holds_the_last_batch_after_a_progress(now):
    seen = with_reading(heartbeat(now), reading(progress=PROGRESS, backlog=40), now, trigger_seconds=5)
    assert (seen.query_id, seen.batch_id, seen.batch_seconds, seen.backlog) == ("q1", 7, 6.5, 40)
    assert seen.progress_at == now + timedelta(seconds=6.5)
    assert (seen.slow_batches, seen.lagging_since) == (1, now)


def test_heartbeat_counts_a_slow_batch_once(now):
    once = with_reading(heartbeat(now), reading(progress=PROGRESS), now, trigger_seconds=5)
    twice = with_reading(once, reading(progress=PROGRESS), now, trigger_seconds=5)
    assert twice.slow_batches == 1


def test_heartbeat_keeps_the_time_until_which_a_batch_is_held(now):
    until = now + timedelta(minutes=5)
    held = with_reading(heartbeat(now), reading(held_until=until, backlog=40), now, trigger_seconds=5)
    assert held.held_until == until
    assert with_reading(held, reading(backlog=40), now, trigger_seconds=5).held_until == until


def test_heartbeat_does_not_count_a_held_batch_as_slow(now):
    until = now + timedelta(seconds=6)
    seen = with_reading(heartbeat(now), reading(progress=PROGRESS, held_until=until), now, trigger_seconds=5)
    assert seen.slow_batches == 0


def test_heartbeat_is_not_lagging_when_there_is_no_backlog(now):
    behind = with_reading(heartbeat(now), reading(progress=PROGRESS, backlog=40), now, trigger_seconds=5)
    assert with_reading(behind, reading(progress=PROGRESS), now, trigger_seconds=5).lagging_since is None


def test_heartbeat_counts_heartbeats_of_high_memory_in_a_row(now):
    high = with_reading(heartbeat(now), reading(memory_share=0.95), now, trigger_seconds=5)
    assert high.memory_high_heartbeats == 1
    assert with_reading(high, reading(memory_share=0.5), now, trigger_seconds=5).memory_high_heartbeats == 0


def test_heartbeat_says_what_the_batch_waits_for_and_remembers_when_it_ended(now):
    waits = with_reading(heartbeat(now), reading(waiting=("load job j", now)), now + timedelta(seconds=5), 5)
    assert (waits.waiting_for, waits.waiting_since, waits.waited_until) == (
        "load job j",
        now,
        now + timedelta(seconds=5),
    )
    later = with_reading(waits, reading(), now + timedelta(seconds=10), 5)
    assert (later.waiting_for, later.waiting_since, later.waited_until) == ("", None, now + timedelta(seconds=5))


def test_a_failed_state_is_reported_where_the_heartbeat_cannot_be_written(state_files, tmp_path, now):
    writer = HeartbeatWriter(state_files, heartbeat(now), heartbeat_seconds=5, trigger_seconds=5)
    (tmp_path / "heartbeat.json").unlink(missing_ok=True)
    (tmp_path / "heartbeat.json").mkdir()
    assert writer.report(State.FAILED, "why") is True
