"""What offsets hold: a record or, where a marker or an aborted record of a transaction is, none for the stream."""

import logging
import sys
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError, UnsupportedCodecError

from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.kafka.login import open_consumer
from csat.kafka.offsets import Gap, Offsets, kafka_offsets

logger = logging.getLogger(__name__)

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


def records_at(
    settings: Settings, topic: str, topic_id: str, offsets: Mapping[int, int]
) -> dict[int, ConsumerRecord | None]:
    """The record at one offset of each partition of this topic; None where Kafka has none there.

    Left out are records that Kafka deleted, and those that were compressed in a way that kafka-python cannot read here.
    One consumer reads all partitions. Raises KafkaAccessError, also if Kafka returns nothing for ten seconds.
    """
    try:
        held = _held(settings, topic, topic_id, offsets)
        inside = {number: offsets[number] for number, here in held.items() if offsets[number] < here.end}
        found: dict[int, ConsumerRecord | None] = dict.fromkeys(held.keys() - inside.keys())
        found |= _read_at(settings, topic, inside) if inside else {}
        if None in found.values():  # Kafka may have deleted the record meanwhile
            held = _held(settings, topic, topic_id, offsets)
        return {number: record for number, record in found.items() if number in held}
    except (KafkaError, OSError) as error:
        raise KafkaAccessError(f"Kafka at {settings.bootstrap_servers} could not be read: {error}") from error


def _held(settings: Settings, topic: str, topic_id: str, offsets: Mapping[int, int]) -> dict[int, Offsets]:
    """The offsets of the partitions in which Kafka has not deleted this offset."""
    known = kafka_offsets(settings, [topic])
    here = {number: known.get((topic, topic_id, number)) for number in offsets}
    return {number: found for number, found in here.items() if found and found.start <= offsets[number]}


def _read_at(settings: Settings, topic: str, offsets: Mapping[int, int]) -> dict[int, ConsumerRecord | None]:
    left, waits = {TopicPartition(topic, number): offset for number, offset in offsets.items()}, 0
    found: dict[int, ConsumerRecord | None] = {}
    with closing(open_consumer(settings)) as consumer:
        consumer.assign(list(left))
        for place, offset in left.items():
            consumer.seek(place, offset)
        while left and waits < _MAX_WAITS:
            try:
                polled = consumer.poll(timeout_ms=_POLL_MILLISECONDS, max_records=1)
            except UnsupportedCodecError as error:  # a consumer does not continue after it
                logger.warning("Not read: the records of topic %s at %s (%s)", topic, offsets, error)
                return found
            passed = [place for place, offset in left.items() if (consumer.position(place) or 0) > offset]
            for place in passed:
                records, offset = polled.get(place, []), left.pop(place)
                found[place.partition] = next((record for record in records if record.offset == offset), None)
                consumer.pause(place)
            waits = 0 if passed else waits + 1
    if left:
        raise KafkaAccessError(f"Kafka returned nothing of topic {topic} at {offsets}")
    return found


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
