"""The offsets of a topic's partitions in Kafka."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.kafka.login import open_admin

PartitionKey = tuple[str, int]  # topic, partition


@dataclass(frozen=True)
class Offsets:
    """A partition's first offset that Kafka still holds, and the offset of its next message."""

    start: int
    end: int


def kafka_offsets(settings: Settings, topics: Iterable[str]) -> dict[PartitionKey, Offsets]:
    """Start and end offset of every partition of the topics that exist. Raises KafkaAccessError."""
    try:
        with closing(open_admin(settings)) as admin:
            known = admin.describe_topics(sorted(set(topics) & set(admin.list_topics())))
            keys = [(topic["name"], part["partition_index"]) for topic in known for part in topic["partitions"]]
            places = [TopicPartition(*key) for key in keys]
            starts = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
            ends = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    except (KafkaError, OSError) as error:
        raise KafkaAccessError(f"Kafka at {settings.bootstrap_servers} did not return its offsets: {error}") from error
    return {tuple(place): Offsets(starts[place].offset, ends[place].offset) for place in places}
