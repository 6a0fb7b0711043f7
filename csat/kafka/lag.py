"""Consumer lag: how many messages the stream has not committed yet, and how many of them are overdue."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from kafka import TopicPartition
from kafka.admin import OffsetTimestamp
from kafka.errors import KafkaError

from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.kafka.login import open_admin
from csat.kafka.offsets import Offsets, kafka_offsets


@dataclass(frozen=True)
class KafkaFacts:
    """Messages after the last committed batch: all of them, and those older than the landing limit."""

    backlog: int
    overdue: int


def waiting(settings: Settings, committed: Mapping[int, int], moment: datetime) -> KafkaFacts:
    """The messages after the committed offsets: all, and those received before `moment`. Raises KafkaAccessError."""
    topic = settings.kafka_topic
    ends = {partition: offsets for (*_, partition), offsets in kafka_offsets(settings, [topic]).items()}
    if not ends:
        raise KafkaAccessError(f"Kafka has no topic {topic}: correct CSAT_KAFKA_TOPIC, or create it with `csat up`")
    firsts = offsets_since(settings, ends, moment)
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


def offsets_since(settings: Settings, partitions: Mapping[int, Offsets], moment: datetime) -> dict[int, int]:
    """Each partition's first offset received at `moment` or later; -1 if there is none. Raises KafkaAccessError."""
    places = [TopicPartition(settings.kafka_topic, partition) for partition in partitions]
    timestamp = OffsetTimestamp(int(moment.timestamp() * 1000))
    try:
        with closing(open_admin(settings)) as admin:
            found = admin.list_partition_offsets(dict.fromkeys(places, timestamp))
    except (KafkaAccessError, KafkaError, OSError) as error:
        raise KafkaAccessError(f"Kafka does not respond at {settings.bootstrap_servers} ({error})") from error
    return {place.partition: found[place].offset for place in places}
