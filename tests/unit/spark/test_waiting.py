"""What the driver says that it waits for, and since when."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import KafkaError
from py4j.protocol import Py4JError

from csat.bigquery.client import WarehouseError, WarehouseOverQuotaError, WarehouseUnreachableError
from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.kafka.topic_id import Topic
from spark import position, query
from spark.decision import DecisionNeededError
from spark.position import TopicWatch
from spark.query import ActiveQuery
from spark.waiting import Waiting

SETTINGS = Settings(_env_file=None)


class Clock:
    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now


def test_a_wait_lasts_from_the_first_failure_to_the_success(now: datetime) -> None:
    clock = Clock(now)
    waiting = Waiting(clock)
    with waiting.later("a") as begin:
        assert waiting.current is None
        begin()
        clock.now += timedelta(seconds=40)
        assert waiting.current == ("a", now)  # during the second attempt too
        begin()
        assert waiting.current == ("a", now)
    assert waiting.current is None


def test_a_wait_within_another_keeps_the_start_of_the_outer_one(now: datetime) -> None:
    clock = Clock(now)
    waiting = Waiting(clock)
    with waiting.on("load job j"):
        clock.now += timedelta(seconds=40)
        with waiting.later("BigQuery") as begin:
            begin()
            assert waiting.current == ("BigQuery", now)
        assert waiting.current == ("load job j", now)


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is found, in turn, when the records that landed last are compared; nothing where it is empty."""
    answers: list[Any] = []

    def compare(*_: object) -> list[int]:
        answer = answers.pop(0) if answers else []
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    monkeypatch.setattr(position, "replaced_partitions", compare)
    monkeypatch.setattr(position, "open_admin", lambda settings: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(position, "id_of_topic", lambda *_: "id")
    return answers


def watch(now: datetime, waiting: Waiting) -> TopicWatch:
    return TopicWatch(SETTINGS, None, Topic("messages", "id", "cluster"), now, waiting)  # type: ignore[arg-type]


def test_a_batch_waits_until_the_records_that_landed_last_can_be_compared(
    monkeypatch: pytest.MonkeyPatch, now: datetime, replaced: list[Any]
) -> None:
    waiting, seen = Waiting(Clock(now)), []
    replaced += [WarehouseUnreachableError("no"), KafkaAccessError("no"), WarehouseOverQuotaError("no"), [], [0]]
    monkeypatch.setattr("spark.position.time.sleep", lambda seconds: seen.append(waiting.current))
    topic = watch(now, waiting)
    topic.check()
    topic.check()  # they are compared once
    assert seen == [("Kafka or BigQuery, which does not respond", now)] * 3
    assert (replaced, topic.found, waiting.current) == ([[0]], None, None)


def test_a_log_that_is_not_the_landed_one_needs_a_decision_before_the_first_load_job(
    now: datetime, replaced: list[Any]
) -> None:
    topic = watch(now, Waiting())
    replaced += [WarehouseError("refused"), [1], [1]]
    with pytest.raises(WarehouseError, match="refused"):
        topic.check()
    for _ in range(2):
        with pytest.raises(DecisionNeededError, match=r"Partitions \[1\] of topic messages") as error:
            topic.check()
        assert (topic.found, error.value.alert) == (error.value, "topic_changed")


@pytest.mark.usefixtures("replaced")
def test_a_batch_that_waits_for_kafka_says_so_while_it_asks_again(
    monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    clock, seen = Clock(now), []
    waiting = Waiting(clock)
    answers: Iterator[Any] = iter([KafkaError(), KafkaError(), "id"])

    def ask(*_: object) -> str:
        seen.append(waiting.current)
        clock.now += timedelta(seconds=30)
        answer = next(answers)
        if isinstance(answer, KafkaError):
            raise answer
        return str(answer)

    monkeypatch.setattr(position, "id_of_topic", ask)
    monkeypatch.setattr("spark.position.time.sleep", lambda seconds: None)
    watch(now, waiting).check()
    first = ("Kafka, which does not respond", now + timedelta(seconds=30))
    assert (seen, waiting.current) == ([None, first, first], None)


def test_a_stream_without_kafka_waits_for_it_from_the_first_failed_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: Iterator[Any] = iter([{0: 9}, Py4JError("no"), Py4JError("no"), {0: 9}])

    def ends(*_: object) -> dict[int, int]:
        answer = next(answers)
        if isinstance(answer, Py4JError):
            raise answer
        return dict(answer)

    monkeypatch.setattr(query, "end_offsets", ends)
    monkeypatch.setattr(query, "_memory", lambda _: (1, 0.1))
    budget = SimpleNamespace(held_until=None)
    sink: Any = SimpleNamespace(rows_committed=0, budget=budget, waiting=Waiting())
    spark: Any = None
    active = ActiveQuery(spark, SimpleNamespace(lastProgress=None), sink, SETTINGS, {})  # type: ignore[arg-type]
    first, second, third, last = (active.read() for _ in range(4))
    assert (first.waiting, last.waiting, last.error) == (None, None, "")
    assert second.waiting is not None
    assert second.waiting[0] == "Kafka, which does not respond"
    assert third.waiting == second.waiting
    assert third.backlog == 9
