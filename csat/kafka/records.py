"""Whether offsets hold a record: those of a transaction's marker, or of an aborted transaction, hold none."""

import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError

from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.kafka.login import open_consumer
from csat.kafka.offsets import Gap, kafka_offsets

_POLL_MILLISECONDS = 1_000
_MAX_WAITS = 10
_SEEK_DISTANCE = 10_000  # a nearer gap is reached by reading on


@dataclass(frozen=True)
class Examined:
    """Offsets by what a consumer finds at them."""

    without_record: int
    deleted: int  # by Kafka, or with their topic: nobody knows whether they held a record


def examine(settings: Settings, gaps: Sequence[Gap]) -> Examined:
    """What Kafka has at the offsets of the gaps. Raises KafkaAccessError."""
    try:
        known = kafka_offsets(settings, {one.kafka_topic for one in gaps}) if gaps else {}
        without_record = held = 0
        for key, group in groupby(sorted(gaps, key=_place), key=lambda one: _place(one)[:3]):
            if key not in known:
                continue
            start, end = known[key].start, known[key].end
            parts = [(max(one.first_offset, start), min(one.end_offset, end)) for one in group]
            parts = [part for part in parts if part[0] < part[1]]
            if parts:
                size = sum(last - first for first, last in parts)
                held += size
                without_record += size - _count_records(settings, key[0], key[2], parts)
        return Examined(without_record, sum(gap.count for gap in gaps) - held)
    except (KafkaError, OSError) as error:
        raise KafkaAccessError(f"Kafka at {settings.bootstrap_servers} could not be read: {error}") from error


def _place(one: Gap) -> tuple[str, str, int, int]:
    return one.kafka_topic, one.kafka_topic_id, one.kafka_partition, one.first_offset


def _count_records(settings: Settings, topic: str, partition: int, parts: list[tuple[int, int]]) -> int:
    place, count = TopicPartition(topic, partition), 0
    with closing(open_consumer(settings)) as consumer:
        consumer.assign([place])
        consumer.seek(place, parts[0][0])
        for first, end in parts:
            if first - consumer.position(place) > _SEEK_DISTANCE:
                consumer.seek(place, first)
            count += sum(_is_in(parts, record.offset) for record in records_until(consumer, place, end))
    return count


def records_until(consumer: KafkaConsumer, place: TopicPartition, end: int) -> Iterator[ConsumerRecord]:
    """The records from the consumer's position to the offset `end`, and what a poll brings beyond it.

    Raises KafkaAccessError if Kafka returns nothing for ten seconds.
    """
    waits = 0
    while (position := consumer.position(place)) < end:
        yield from consumer.poll(timeout_ms=_POLL_MILLISECONDS).get(place, [])
        waits = 0 if consumer.position(place) > position else waits + 1
        if waits == _MAX_WAITS:
            raise KafkaAccessError(f"Kafka returned nothing of {place.topic}/{place.partition} from offset {position}")


def _is_in(parts: list[tuple[int, int]], offset: int) -> bool:
    """Whether one of the ordered parts holds the offset."""
    number = bisect_right(parts, (offset, sys.maxsize)) - 1
    return number >= 0 and offset < parts[number][1]
