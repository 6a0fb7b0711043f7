"""The offsets of a topic's partitions in Kafka."""

import base64
import uuid
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError
from kafka.protocol.consumer import IsolationLevel

from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.kafka.login import open_admin

PartitionKey = tuple[str, str, int]  # topic, Kafka's id of it, partition


@dataclass(frozen=True)
class Offsets:
    """A partition's first offset that Kafka still holds, and the end of what the stream can read.

    The end is the next message's offset, or the first one of the oldest open transaction.
    """

    start: int
    end: int


@dataclass(frozen=True)
class Gap:
    """Offsets of a partition that are missing for good, from `first_offset` to before `end_offset`."""

    kafka_topic: str
    kafka_topic_id: str
    kafka_partition: int
    first_offset: int
    end_offset: int

    @property
    def key(self) -> PartitionKey:
        """The partition."""
        return self.kafka_topic, self.kafka_topic_id, self.kafka_partition

    @property
    def count(self) -> int:
        """How many offsets it holds."""
        return self.end_offset - self.first_offset


def without(gap: Gap, others: Iterable[Gap]) -> list[Gap]:
    """What is left of a gap beside others, of which those of other topics and partitions do not count."""
    left = [gap]
    for one in others:
        if one.key != gap.key:
            continue
        cut = []
        for part in left:
            cut.append(replace(part, end_offset=min(part.end_offset, max(part.first_offset, one.first_offset))))
            cut.append(replace(part, first_offset=max(part.first_offset, min(part.end_offset, one.end_offset))))
        left = [part for part in cut if part.count > 0]
    return left


def kafka_offsets(settings: Settings, topics: Iterable[str]) -> dict[PartitionKey, Offsets]:
    """Start and end offset of every partition of the topics that exist. Raises KafkaAccessError."""
    try:
        with closing(open_admin(settings)) as admin:
            known = admin.describe_topics(sorted(set(topics) & set(admin.list_topics())))
            keys = [
                (topic["name"], printed_id(topic["topic_id"]), part["partition_index"])
                for topic in known
                for part in topic["partitions"]
            ]
            places = [TopicPartition(name, number) for name, _, number in keys]
            starts = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
            specs = dict.fromkeys(places, OffsetSpec.LATEST)
            ends = admin.list_partition_offsets(specs, isolation_level=IsolationLevel.READ_COMMITTED)
    except (KafkaError, OSError) as error:
        raise KafkaAccessError(f"Kafka at {settings.bootstrap_servers} did not return its offsets: {error}") from error
    return {key: Offsets(starts[place].offset, ends[place].offset) for key, place in zip(keys, places, strict=True)}


def printed_id(topic_id: str) -> str:
    """A topic's id as kafka-topics.sh prints it; kafka-python returns a UUID's text."""
    return base64.urlsafe_b64encode(uuid.UUID(topic_id).bytes).decode().rstrip("=")
