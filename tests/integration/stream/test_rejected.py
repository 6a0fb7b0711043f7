"""Rejected messages are counted, shown on request, and sent again once."""

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from csat.bigquery.rejected import Rejected, count_rejected, list_rejected, show_rejected
from csat.bigquery.tables import create_ops_tables
from producer.replay import ORIGIN_HEADER, replay
from tests.integration.conftest import World
from tests.integration.stream.conftest import Land

pytestmark = pytest.mark.integration

LARGE = b"[" * 3_000_000


def test_rejected_messages_are_sent_again_once_as_they_came(world: World, land: Land, make_message):
    create_ops_tables(world.warehouse)
    world.send(make_message(csat_score=9), b"\xff\x00", make_message(), make_message(csat_score=0))
    send_compressed(world, LARGE)
    assert land(world) == 0

    counts = {row["rejection_reason"]: row["message_count"] for row in count_rejected(world.warehouse, Rejected())}
    assert counts == {"csat_score out of range": 2, "not UTF-8": 1, "not one JSON object": 1}
    listed = list_rejected(world.warehouse, Rejected("csat_score"), limit=10)
    assert {row["kafka_offset"] for row in listed} == {0, 3}
    assert not any("payload" in row for row in listed)
    [shown] = show_rejected(world.warehouse, 0, 1)
    assert shown["payload"] == b"\xff\x00"

    assert replay(world.settings, Rejected("csat_score"), limit=1).replayed == 1
    assert replay(world.settings, Rejected("csat_score"), limit=10).replayed == 1
    assert replay(world.settings, Rejected("csat_score"), limit=10).replayed == 0
    assert replay(world.settings, Rejected("not one JSON object"), limit=10).replayed == 1
    topic = world.settings.kafka_topic
    again = [record for record in records(world, 8) if record.headers]
    assert {(record.value, *record.headers) for record in again} == {
        (make_message(csat_score=9), (ORIGIN_HEADER, f"{topic}/0/0".encode())),
        (make_message(csat_score=0), (ORIGIN_HEADER, f"{topic}/0/3".encode())),
        (LARGE, (ORIGIN_HEADER, f"{topic}/1/0".encode())),
    }
    assert {record.key for record in again} == {b"agent-0001", b""}


def send_compressed(world: World, message: bytes) -> None:
    """Put a message into the topic that the broker takes for its compressed size."""
    producer = KafkaProducer(
        bootstrap_servers=world.settings.bootstrap_servers, compression_type="gzip", max_request_size=10 * len(message)
    )
    producer.send(world.settings.kafka_topic, message, partition=1).get(timeout=30)
    producer.close()


def records(world: World, count: int):
    """The first records of the topic, as many as asked for."""
    consumer = KafkaConsumer(bootstrap_servers=world.settings.bootstrap_servers, consumer_timeout_ms=20_000)
    consumer.assign([TopicPartition(world.settings.kafka_topic, number) for number in range(2)])
    consumer.seek_to_beginning()
    found = [record for record, _ in zip(consumer, range(count), strict=False)]
    consumer.close()
    return found
