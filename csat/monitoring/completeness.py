"""Completeness: whether every Kafka message is exactly one row of the landing table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from csat.bigquery.client import Warehouse
from csat.bigquery.landed_records import replaced_partitions
from csat.bigquery.landing_counts import NOTHING_LANDED, Landed, landed_partitions
from csat.bigquery.positions import accepted_gaps, missing_offsets
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.control.checkpoint_topic import read_topic
from csat.kafka.offsets import Gap, Offsets, PartitionKey, kafka_offsets, without
from csat.kafka.records import Examined, examine
from csat.monitoring.checkpoint import committed_offsets


@dataclass(frozen=True)
class PartitionCheck:
    """One partition in the landing table and in Kafka."""

    topic: str
    topic_id: str
    partition: int
    rows: int
    distinct_offsets: int
    min_offset: int | None
    max_offset: int | None
    kafka_start_offset: int
    kafka_end_offset: int
    excused: int = 0  # offsets of these that hold no record, or whose loss was accepted
    unverifiable: int = 0  # the stream read past them, and Kafka no longer has them
    is_replaced: bool = False  # Kafka has other records at offsets that have landed

    @property
    def key(self) -> PartitionKey:
        """The partition."""
        return self.topic, self.topic_id, self.partition

    @property
    def duplicated(self) -> int:
        """Surplus copies of rows."""
        return self.rows - self.distinct_offsets

    @property
    def lost(self) -> int:
        """Messages that did not land though later ones did, or that Kafka deleted before they could.

        Messages that Kafka deleted before the first landed one do not count: it is unknown whether they should
        have landed. An offset without a record (the marker of a transaction, or a record of an aborted one) and an
        accepted loss do not count either. Nor does an unverifiable one: the stream read past it, and whether it held
        a record cannot be seen any more. After the last landed one, the checkpoint says what the stream has read.
        """
        if self.min_offset is None or self.max_offset is None:
            return 0
        gaps = self.max_offset - self.min_offset + 1 - self.distinct_offsets
        before = max(0, self.min_offset - self.kafka_start_offset)
        deleted = max(0, self.kafka_start_offset - (self.max_offset + 1))
        return max(0, gaps + before + deleted - self.excused - self.unverifiable)

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
        """Nothing lost, nothing duplicated, and the logs are those that landed; pending messages do not count."""
        return not (self.lost or self.duplicated or self.replaced)

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

    @property
    def unverifiable(self) -> int:
        """Unverifiable offsets of all partitions."""
        return sum(check.unverifiable for check in self.partitions)

    @property
    def replaced(self) -> int:
        """Partitions whose log is another one: its messages at offsets that landed before are not counted as lost."""
        return sum(check.is_replaced for check in self.partitions)

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        totals = {name: getattr(self, name) for name in ("lost", "duplicated", "pending", "unverifiable", "replaced")}
        return {"partitions": [asdict(check) for check in self.partitions], **totals}


def compare(landed: Mapping[PartitionKey, Landed], offsets: Mapping[PartitionKey, Offsets]) -> Completeness:
    """Compare what landed with what Kafka holds.

    A partition that Kafka no longer knows is compared with itself: this shows only gaps and duplicates.
    """
    checks = []
    for key in sorted({*landed, *offsets}):
        rows = landed.get(key, NOTHING_LANDED)
        here = offsets.get(key) or _offsets_of(rows)
        checks.append(PartitionCheck(*key, **asdict(rows), kafka_start_offset=here.start, kafka_end_offset=here.end))
    return Completeness(tuple(checks))


def _offsets_of(rows: Landed) -> Offsets:
    return Offsets(rows.min_offset or 0, 0 if rows.max_offset is None else rows.max_offset + 1)


def check_completeness(warehouse: Warehouse) -> Completeness:
    """The completeness now. Raises WarehouseError and KafkaAccessError."""
    landed = landed_partitions(warehouse)  # first: what lands in between then counts as pending, never as a duplicate
    topics = {warehouse.settings.kafka_topic, *(topic for topic, *_ in landed)}
    offsets = kafka_offsets(warehouse.settings, topics)
    found = compare(landed, offsets)
    found = found if not found.lost else excuse(warehouse, found)
    compared = sorted({(topic, topic_id) for topic, topic_id, _ in landed.keys() & offsets.keys()})
    replaced = {(*topic, number) for topic in compared for number in replaced_partitions(warehouse, *topic)}
    return Completeness(tuple(replace(check, is_replaced=check.key in replaced) for check in found.partitions))


def excuse(warehouse: Warehouse, found: Completeness) -> Completeness:
    """The same with the missing offsets that are no loss. Raises WarehouseError and KafkaAccessError."""
    accepted, missing, read = accepted_gaps(warehouse), missing_offsets(warehouse), _read_offsets(warehouse.settings)
    checks = []
    for check in found.partitions:
        inner, outer = [gap for gap in missing if gap.key == check.key], outer_gaps(check)
        has_read = Gap(*check.key, 0, read.get(check.key, 0))
        ahead = [rest for gap in outer for rest in without(gap, [has_read])]
        passed = inner + [rest for gap in outer for rest in without(gap, ahead)]
        checks.append(_examined(warehouse.settings, check, passed, ahead, accepted) if check.lost else check)
    return Completeness(tuple(checks))


def _read_offsets(settings: Settings) -> dict[PartitionKey, int]:
    """The next offset of each partition by the stream's checkpoint; empty without one that can be read."""
    try:
        kept = read_topic(settings.checkpoint)
        offsets = committed_offsets(settings.checkpoint, kept.name) if kept else {}
    except (CsatError, OSError):  # the next driver moves a damaged checkpoint away
        return {}
    return {(kept.name, kept.topic_id, number): offset for number, offset in offsets.items()} if kept else {}


def _examined(
    settings: Settings, check: PartitionCheck, passed: Sequence[Gap], ahead: Sequence[Gap], accepted: Sequence[Gap]
) -> PartitionCheck:
    """The check without what is no loss, in gaps that the stream has read past and in gaps ahead of it."""
    before, after = no_loss(settings, passed, accepted), no_loss(settings, ahead, accepted)
    return replace(check, excused=before.without_record + after.without_record, unverifiable=before.deleted)


def outer_gaps(check: PartitionCheck) -> list[Gap]:
    """What is missing before the first and after the last landed offset of a partition."""
    if check.min_offset is None or check.max_offset is None:
        return []
    pairs = [(check.kafka_start_offset, check.min_offset), (check.max_offset + 1, check.kafka_start_offset)]
    return [Gap(check.topic, check.topic_id, check.partition, *pair) for pair in pairs if pair[0] < pair[1]]


def no_loss(settings: Settings, gaps: Sequence[Gap], accepted: Sequence[Gap]) -> Examined:
    """Offsets of the gaps that hold no record, with those whose loss was accepted. Raises KafkaAccessError."""
    count, open_gaps = 0, []
    for gap in gaps:
        rest = without(gap, accepted)
        count += gap.count - sum(one.count for one in rest)
        open_gaps += rest
    found = examine(settings, open_gaps)
    return replace(found, without_record=found.without_record + count)
