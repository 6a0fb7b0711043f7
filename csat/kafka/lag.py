"""Consumer lag: how many messages the stream has not committed yet, and how many of them are overdue."""

from bisect import bisect_left
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import OffsetTimestamp
from kafka.errors import KafkaError

from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.kafka.login import open_admin, open_consumer
from csat.kafka.offsets import Offsets, kafka_offsets
from csat.kafka.records import records_until


@dataclass(frozen=True)
class KafkaFacts:
    """Messages after the last committed batch: all of them, and those older than the landing limit."""

    backlog: int
    overdue: int


@dataclass(frozen=True)
class Period:
    """The times of the messages that may still wait. A later time is of a clock that was ahead: it says nothing."""

    since: datetime
    now: datetime

    @property
    def milliseconds(self) -> range:
        """The times as Kafka has them."""
        return range(_milliseconds(self.since), _milliseconds(self.now) + 1)


def waiting(settings: Settings, committed: Mapping[int, int], period: Period) -> KafkaFacts:
    """The messages after the committed offsets: all, and those before the period. Raises KafkaAccessError."""
    topic = settings.kafka_topic
    ends = {partition: offsets for (*_, partition), offsets in kafka_offsets(settings, [topic]).items()}
    if not ends:
        raise KafkaAccessError(f"Kafka has no topic {topic}: correct CSAT_KAFKA_TOPIC, or create it with `csat up`")
    left = {part: Offsets(max(committed.get(part, 0), here.start), here.end) for part, here in ends.items()}
    firsts = offsets_since(settings, left, period)
    return KafkaFacts(backlog(ends, committed), overdue(ends, firsts, committed))


def backlog(ends: Mapping[int, Offsets], committed: Mapping[int, int]) -> int:
    """Messages from the committed offset of each partition, or from its first, to its end."""
    return sum(max(0, here.end - max(committed.get(part, 0), here.start)) for part, here in ends.items())


def overdue(ends: Mapping[int, Offsets], firsts: Mapping[int, int], committed: Mapping[int, int]) -> int:
    """Of these, the messages before the first one of each partition that may still wait (-1: none may)."""
    limits = {
        part: Offsets(here.start, min(firsts[part], here.end) if firsts[part] >= 0 else here.end)
        for part, here in ends.items()
    }
    return backlog(limits, committed)


def offsets_since(settings: Settings, left: Mapping[int, Offsets], period: Period) -> dict[int, int]:
    """Each partition's first offset received in the period; -1 if there is none. Raises KafkaAccessError.

    Kafka finds the first record with this time or a later one. Where it is of the future, the records that are left
    are searched: their times increase, but for those of the future.
    """
    places = [TopicPartition(settings.kafka_topic, partition) for partition in left]
    times = period.milliseconds
    try:
        with closing(open_admin(settings)) as admin:
            found = admin.list_partition_offsets(dict.fromkeys(places, OffsetTimestamp(times.start)))
        firsts = {place.partition: found[place].offset for place in places}
        for place in places:
            here = left[place.partition]
            if found[place].timestamp >= times.stop and here.start < here.end:
                firsts[place.partition] = _search(settings, place, here, times)
    except (KafkaAccessError, KafkaError, OSError) as error:
        raise KafkaAccessError(f"Kafka does not respond at {settings.bootstrap_servers} ({error})") from error
    return firsts


def _search(settings: Settings, place: TopicPartition, left: Offsets, times: range) -> int:
    """The first of the offsets that are left whose record is not older than these times, or their end."""
    with closing(open_consumer(settings)) as consumer:
        consumer.assign([place])
        offsets = range(left.start, left.end)
        is_new = partial(_is_new, consumer, place, left.end, times)
        return left.start + bisect_left(offsets, True, key=is_new)


def _is_new(consumer: KafkaConsumer, place: TopicPartition, end: int, times: range, offset: int) -> bool:
    """Whether the first record from this offset on that is not of the future has one of these times; true if none."""
    consumer.seek(place, offset)
    known = (record.timestamp for record in records_until(consumer, place, end) if record.timestamp < times.stop)
    return bool(next(known, times.start) >= times.start)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
