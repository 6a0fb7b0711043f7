"""Questions about the pipeline's promises: is every Kafka record one row, and how many rows are there?"""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from csat import landing
from csat.kafka_access import KafkaAccessError
from csat.settings import Settings
from warehouse.client import Warehouse
from warehouse.kafka_login import open_admin

PartitionKey = tuple[str, int]  # topic, partition


class KafkaOffsetsError(Exception):
    """Kafka could not be asked for its offsets; the message names the setting."""


@dataclass(frozen=True)
class Landed:
    """The rows of one partition in the landing table."""

    rows: int
    distinct_offsets: int
    min_offset: int | None
    max_offset: int | None


@dataclass(frozen=True)
class Offsets:
    """The first offset that Kafka still holds of a partition, and the one that its next record will get."""

    start: int
    end: int


NOTHING_LANDED = Landed(0, 0, None, None)


@dataclass(frozen=True)
class PartitionCheck:
    """One partition in the landing table and in Kafka."""

    topic: str
    partition: int
    rows: int
    distinct_offsets: int
    min_offset: int | None
    max_offset: int | None
    kafka_start_offset: int
    kafka_end_offset: int

    @property
    def duplicated(self) -> int:
        """Rows that are there more than once."""
        return self.rows - self.distinct_offsets

    @property
    def lost(self) -> int:
        """Records that did not land though later ones did, or that Kafka deleted before they could.

        Where Kafka has deleted records before the first that landed, nobody knows whether they ever were to land:
        they do not count.
        """
        if self.min_offset is None or self.max_offset is None:
            return 0
        holes = self.max_offset - self.min_offset + 1 - self.distinct_offsets
        before = max(0, self.min_offset - self.kafka_start_offset)
        deleted = max(0, self.kafka_start_offset - (self.max_offset + 1))
        return holes + before + deleted

    @property
    def pending(self) -> int:
        """Records in Kafka that are yet to land."""
        first = self.kafka_start_offset if self.max_offset is None else self.max_offset + 1
        return max(0, self.kafka_end_offset - max(first, self.kafka_start_offset))


@dataclass(frozen=True)
class Completeness:
    """Whether every record of Kafka is one row of the landing table."""

    partitions: tuple[PartitionCheck, ...]

    @property
    def is_complete(self) -> bool:
        """Nothing lost and nothing twice; what is yet to land does not count."""
        return not (self.lost or self.duplicated)

    @property
    def lost(self) -> int:
        """Records lost, over all partitions."""
        return sum(check.lost for check in self.partitions)

    @property
    def duplicated(self) -> int:
        """Rows too many, over all partitions."""
        return sum(check.duplicated for check in self.partitions)

    @property
    def pending(self) -> int:
        """Records yet to land, over all partitions."""
        return sum(check.pending for check in self.partitions)

    def as_dict(self) -> dict[str, Any]:
        """The answer as JSON values."""
        totals = {"lost": self.lost, "duplicated": self.duplicated, "pending": self.pending}
        return {"partitions": [asdict(check) for check in self.partitions], **totals}


def compare(landed: Mapping[PartitionKey, Landed], offsets: Mapping[PartitionKey, Offsets]) -> Completeness:
    """The completeness of what landed against what Kafka holds.

    A partition that Kafka no longer knows is compared with itself: only holes and doubles show.
    """
    checks = []
    for topic, partition in sorted({*landed, *offsets}):
        rows = landed.get((topic, partition), NOTHING_LANDED)
        here = offsets.get((topic, partition)) or _offsets_of(rows)
        checks.append(
            PartitionCheck(topic, partition, **asdict(rows), kafka_start_offset=here.start, kafka_end_offset=here.end)
        )
    return Completeness(tuple(checks))


def _offsets_of(rows: Landed) -> Offsets:
    return Offsets(rows.min_offset or 0, 0 if rows.max_offset is None else rows.max_offset + 1)


def check_completeness(warehouse: Warehouse) -> Completeness:
    """The completeness now. Raises WarehouseError and KafkaOffsetsError."""
    landed = landed_partitions(warehouse)  # first: what lands in between is then pending, never too much
    topics = {warehouse.settings.kafka_topic, *(topic for topic, _ in landed)}
    return compare(landed, kafka_offsets(warehouse.settings, topics))


def landed_partitions(warehouse: Warehouse) -> dict[PartitionKey, Landed]:
    """What the landing table holds of each topic and partition."""
    rows = warehouse.rows(f"""
        select
            kafka_topic,
            kafka_partition,
            count(*) as row_count,
            count(distinct kafka_offset) as distinct_offsets,
            min(kafka_offset) as min_offset,
            max(kafka_offset) as max_offset
        from `{warehouse.settings.table("raw", landing.TABLE)}`
        group by kafka_topic, kafka_partition
    """)
    return {
        (row["kafka_topic"], row["kafka_partition"]): Landed(
            row["row_count"], row["distinct_offsets"], row["min_offset"], row["max_offset"]
        )
        for row in rows
    }


def landing_counts(warehouse: Warehouse) -> dict[str, int]:
    """Rows of the landing table: all, accepted and rejected."""
    [counts] = warehouse.rows(f"""
        select
            count(*) as row_count,
            countif(rejection_reason is null) as accepted_count,
            countif(rejection_reason is not null) as rejected_count
        from `{warehouse.settings.table("raw", landing.TABLE)}`
    """)
    return {"rows": counts["row_count"], "accepted": counts["accepted_count"], "rejected": counts["rejected_count"]}


def kafka_offsets(settings: Settings, topics: Iterable[str]) -> dict[PartitionKey, Offsets]:
    """Start and end of every partition of the topics that Kafka knows. Raises KafkaOffsetsError."""
    try:
        with closing(open_admin(settings)) as admin:
            known = admin.describe_topics(sorted(set(topics) & set(admin.list_topics())))
            keys = [(topic["name"], part["partition_index"]) for topic in known for part in topic["partitions"]]
            places = [TopicPartition(*key) for key in keys]
            starts = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
            ends = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    except KafkaAccessError as error:
        raise KafkaOffsetsError(str(error)) from error
    except (KafkaError, OSError) as error:
        raise KafkaOffsetsError(f"Kafka at {settings.bootstrap_servers} does not tell its offsets: {error}") from error
    return {tuple(place): Offsets(starts[place].offset, ends[place].offset) for place in places}
