"""How many messages wait in Kafka behind the stream, and how many have waited since a given time."""

from collections.abc import Mapping
from contextlib import closing
from datetime import datetime

from kafka import TopicPartition
from kafka.admin import OffsetTimestamp
from kafka.errors import KafkaError

from csat.kafka_access import KafkaAccessError
from csat.settings import Settings
from warehouse.facts import KafkaFacts
from warehouse.kafka_login import open_admin
from warehouse.probes import KafkaOffsetsError, Offsets, kafka_offsets


def waiting(settings: Settings, committed: Mapping[int, int], moment: datetime) -> KafkaFacts:
    """The messages behind the committed offsets: all, and those that came before the moment. KafkaOffsetsError."""
    topic = settings.kafka_topic
    ends = {partition: offsets for (_, partition), offsets in kafka_offsets(settings, [topic]).items()}
    if not ends:
        raise KafkaOffsetsError(
            f"Kafka has no topic {topic}, fix: correct CSAT_KAFKA_TOPIC, or create it with `csat up`"
        )
    firsts = offsets_since(settings, ends, moment)
    return KafkaFacts(backlog(ends, committed), overdue(ends, firsts, committed))


def backlog(ends: Mapping[int, Offsets], committed: Mapping[int, int]) -> int:
    """Messages from the committed offset of each partition, or from its first, to its end."""
    return sum(max(0, here.end - max(committed.get(part, 0), here.start)) for part, here in ends.items())


def overdue(ends: Mapping[int, Offsets], firsts: Mapping[int, int], committed: Mapping[int, int]) -> int:
    """Of these, the messages before the first ones of each partition that are new enough to wait (-1: none is)."""
    limits = {part: Offsets(here.start, firsts[part] if firsts[part] >= 0 else here.end) for part, here in ends.items()}
    return backlog(limits, committed)


def offsets_since(settings: Settings, partitions: Mapping[int, Offsets], moment: datetime) -> dict[int, int]:
    """The first offset of each partition that came at the moment or later; -1 where none did. KafkaOffsetsError."""
    places = [TopicPartition(settings.kafka_topic, partition) for partition in partitions]
    asked = OffsetTimestamp(int(moment.timestamp() * 1000))
    try:
        with closing(open_admin(settings)) as admin:
            found = admin.list_partition_offsets(dict.fromkeys(places, asked))
    except (KafkaAccessError, KafkaError, OSError) as error:
        raise KafkaOffsetsError(f"Kafka does not answer at {settings.bootstrap_servers} ({error})") from error
    return {place.partition: found[place].offset for place in places}
