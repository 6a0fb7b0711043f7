"""Completeness: whether every Kafka message is exactly one row of the landing table."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from csat.bigquery.client import Warehouse
from csat.bigquery.landing_counts import NOTHING_LANDED, Landed, landed_partitions
from csat.kafka.offsets import Offsets, PartitionKey, kafka_offsets


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
        """Surplus copies of rows."""
        return self.rows - self.distinct_offsets

    @property
    def lost(self) -> int:
        """Messages that did not land though later ones did, or that Kafka deleted before they could.

        Messages that Kafka deleted before the first landed one do not count: it is unknown whether they should
        have landed.
        """
        if self.min_offset is None or self.max_offset is None:
            return 0
        gaps = self.max_offset - self.min_offset + 1 - self.distinct_offsets
        before = max(0, self.min_offset - self.kafka_start_offset)
        deleted = max(0, self.kafka_start_offset - (self.max_offset + 1))
        return gaps + before + deleted

    @property
    def pending(self) -> int:
        """Messages in Kafka that have not landed yet."""
        first = self.kafka_start_offset if self.max_offset is None else self.max_offset + 1
        return max(0, self.kafka_end_offset - max(first, self.kafka_start_offset))


@dataclass(frozen=True)
class Completeness:
    """Whether every Kafka message is one row of the landing table."""

    partitions: tuple[PartitionCheck, ...]

    @property
    def is_complete(self) -> bool:
        """Nothing lost and nothing duplicated; pending messages do not count."""
        return not (self.lost or self.duplicated)

    @property
    def lost(self) -> int:
        """Lost messages of all partitions."""
        return sum(check.lost for check in self.partitions)

    @property
    def duplicated(self) -> int:
        """Duplicate rows of all partitions."""
        return sum(check.duplicated for check in self.partitions)

    @property
    def pending(self) -> int:
        """Pending messages of all partitions."""
        return sum(check.pending for check in self.partitions)

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        totals = {"lost": self.lost, "duplicated": self.duplicated, "pending": self.pending}
        return {"partitions": [asdict(check) for check in self.partitions], **totals}


def compare(landed: Mapping[PartitionKey, Landed], offsets: Mapping[PartitionKey, Offsets]) -> Completeness:
    """Compare what landed with what Kafka holds.

    A partition that Kafka no longer knows is compared with itself: this shows only gaps and duplicates.
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
    """The completeness now. Raises WarehouseError and KafkaAccessError."""
    landed = landed_partitions(warehouse)  # first: what lands in between then counts as pending, never as a duplicate
    topics = {warehouse.settings.kafka_topic, *(topic for topic, _ in landed)}
    return compare(landed, kafka_offsets(warehouse.settings, topics))
