"""What the beat writes, obeys and leaves alone."""

from datetime import datetime, timedelta

import pytest

from csat.documents import DocumentError, Documents
from csat.health import Control, Health, State
from spark.beat import Beat, Order, Reading, claim, order, with_reading


def control(now, token="t1", desired="run"):
    return Control(token=token, desired=desired, reason="test", at=now)


def health(now, token="t1", **changes):
    values = {"token": token, "driver_id": "d1", "state": State.RUNNING, "at": now, "started_at": now}
    return Health(**(values | changes))


def reading(**changes):
    values = {"progress": None, "backlog": 0, "rows_committed": 0, "memory_share": 0.1, "memory_bytes": 1, "error": ""}
    return Reading(**(values | changes))


class FakeQuery:
    """A query that ends after some looks; runs an action at each."""

    def __init__(self, looks, at_look=lambda number: None):
        self.looks, self.at_look = looks, at_look
        self.count = 0
        self.is_stopped = False

    def wait(self, seconds):
        self.count += 1
        self.at_look(self.count)
        return self.count >= self.looks

    def read(self):
        return reading(rows_committed=self.count)

    def stop(self):
        self.is_stopped = True


class Clock:
    """A clock that moves two seconds a look."""

    def __init__(self, start: datetime):
        self.time = start

    def __call__(self):
        self.time += timedelta(seconds=2)
        return self.time


@pytest.fixture
def documents(tmp_path, now):
    store = Documents(str(tmp_path))
    store.write_control(control(now))
    return store


@pytest.fixture
def beat(documents, now):
    return Beat(documents, health(now), beat_seconds=5, trigger_seconds=5, clock=Clock(now))


def test_beat_ends_with_0_and_says_stopped_when_the_query_ends(beat, documents):
    query = FakeQuery(looks=3)
    assert beat.watch(query) == 0
    assert documents.health().state is State.STOPPED
    assert documents.health().rows_committed == 3


def test_beat_stops_the_query_when_control_says_stop(beat, documents, now):
    query = FakeQuery(looks=100, at_look=lambda n: documents.write_control(control(now, desired="stop")))
    assert beat.watch(query) == 0
    assert query.is_stopped
    assert query.count < 5


def test_beat_leaves_with_75_and_writes_nothing_when_the_token_is_anothers(beat, documents, now):
    def supersede(number):
        documents.write_control(control(now, token="t2"))
        documents.write_health(health(now, token="t2"))

    assert beat.watch(FakeQuery(looks=100, at_look=supersede)) == 75
    assert documents.health().token == "t2"


def test_beat_does_not_overwrite_its_successor_when_the_query_fails(beat, documents, now):
    documents.write_control(control(now, token="t2"))
    documents.write_health(health(now, token="t2"))
    assert not beat.say(State.FAILED, "boom")
    assert documents.health().token == "t2"


def test_beat_names_the_batch_that_the_query_failed_in(beat, documents):
    assert beat.say(State.FAILED, "boom", failed_batch="q-7")
    said = documents.health()
    assert (said.state, said.error, said.failed_batch) == (State.FAILED, "boom", "q-7")


def test_beat_goes_on_when_control_cannot_be_read_for_a_while(beat, tmp_path, documents):
    (tmp_path / "control.json").write_text("half a docu")
    assert beat.watch(FakeQuery(looks=50)) == 0
    assert documents.health().state is State.STOPPED


def test_beat_ends_when_control_cannot_be_read_for_ten_minutes(beat, tmp_path):
    (tmp_path / "control.json").write_text("half a docu")
    with pytest.raises(DocumentError, match=r"control\.json is not a Control document; delete it"):
        beat.watch(FakeQuery(looks=1000))


def test_claim_takes_the_token_of_the_guard_when_no_driver_has_used_it(documents, now):
    assert claim(documents, "d2", now) == "t1"


def test_claim_makes_a_new_token_when_a_driver_has_used_this_one(documents, now):
    documents.write_health(health(now))
    token = claim(documents, "d2", now)
    assert token != "t1"
    assert documents.control().token == token
    assert documents.control().desired == "run"


def test_claim_makes_a_token_when_nothing_was_asked_for(tmp_path, now):
    empty = Documents(str(tmp_path / "new"))
    assert claim(empty, "d2", now) == empty.control().token


@pytest.mark.parametrize(
    ("token", "desired", "expected"),
    [("t1", "run", Order.RUN), ("t1", "stop", Order.STOP), ("t2", "run", Order.LEAVE), ("t2", "stop", Order.LEAVE)],
)
def test_order_follows_the_control_document(now, token, desired, expected):
    assert order(control(now, token=token, desired=desired), "t1") is expected


def test_order_is_to_leave_when_there_is_no_control_document():
    assert order(None, "t1") is Order.LEAVE


PROGRESS = {
    "id": "q1",
    "batchId": 7,
    "timestamp": "2026-11-20T12:00:00.000Z",
    "durationMs": {"triggerExecution": 6500},
    "inputRowsPerSecond": 100.0,
    "processedRowsPerSecond": 50.0,
}


def test_health_holds_the_last_batch_after_a_progress(now):
    seen = with_reading(health(now), reading(progress=PROGRESS, backlog=40), now, trigger_seconds=5)
    assert (seen.query_id, seen.batch_id, seen.batch_seconds, seen.backlog) == ("q1", 7, 6.5, 40)
    assert seen.progress_at == now + timedelta(seconds=6.5)
    assert (seen.slow_batches, seen.lagging_since) == (1, now)


def test_health_counts_a_slow_batch_once(now):
    once = with_reading(health(now), reading(progress=PROGRESS), now, trigger_seconds=5)
    twice = with_reading(once, reading(progress=PROGRESS), now, trigger_seconds=5)
    assert twice.slow_batches == 1


def test_health_tells_until_when_a_batch_is_held_and_was(now):
    until = now + timedelta(minutes=5)
    held = with_reading(health(now), reading(held_until=until, backlog=40), now, trigger_seconds=5)
    assert held.held_until == until
    assert with_reading(held, reading(backlog=40), now, trigger_seconds=5).held_until == until


def test_health_does_not_count_a_held_batch_as_slow(now):
    until = now + timedelta(seconds=6)
    seen = with_reading(health(now), reading(progress=PROGRESS, held_until=until), now, trigger_seconds=5)
    assert seen.slow_batches == 0


def test_health_is_not_lagging_when_there_is_no_backlog(now):
    behind = with_reading(health(now), reading(progress=PROGRESS, backlog=40), now, trigger_seconds=5)
    assert with_reading(behind, reading(progress=PROGRESS), now, trigger_seconds=5).lagging_since is None


def test_health_counts_beats_of_high_memory_in_a_row(now):
    high = with_reading(health(now), reading(memory_share=0.95), now, trigger_seconds=5)
    assert high.memory_high_beats == 1
    assert with_reading(high, reading(memory_share=0.5), now, trigger_seconds=5).memory_high_beats == 0
