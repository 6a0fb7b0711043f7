"""Which offsets of a topic have landed, and which gaps in them a person has accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query
from csat.bigquery.tables import append_rows
from csat.kafka.offsets import Gap, without

ACCEPTED_LOSSES = "accepted_losses"
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_LOOK_BACK = timedelta(days=2)

_LANDED = Query.read(__file__, "landed_offsets")
_NAME = Query.read(__file__, "older_rows_topic_id")
_MISSING = Query.read(__file__, "missing_offsets")
_ACCEPTED = Query.read(__file__, "accepted_gaps")


def landed_offsets(warehouse: Warehouse, topic: str, topic_id: str) -> dict[int, int]:
    """The greatest landed offset of each partition of this topic. Raises WarehouseError."""
    rows = _LANDED.rows(warehouse, topic=topic, topic_id=topic_id)
    return {row["kafka_partition"]: row["kafka_offset"] for row in rows}


def landed_since(moment: datetime) -> datetime:
    """Two days before, or the first moment of all."""
    return max(moment, _FIRST + _LOOK_BACK) - _LOOK_BACK


def missing_offsets(warehouse: Warehouse, since: datetime = _FIRST, until: datetime = _LAST) -> list[Gap]:
    """The gaps between two landed offsets, one of which was read in this period. Raises WarehouseError.

    An offset is missing where no row of the two days before, or of a later time, has it.
    """
    rows = _MISSING.rows(warehouse, since=since, until=until, landed_since=landed_since(since))
    return [Gap(**row) for row in rows]


def name_older_rows(warehouse: Warehouse, topic: str, topic_id: str) -> None:
    """Give the rows of this topic that landed before the table had ids the id of today. Raises WarehouseError."""
    _NAME.rows(warehouse, topic=topic, topic_id=topic_id)


def accepted_gaps(warehouse: Warehouse) -> list[Gap]:
    """The gaps that were accepted, of all topics. Raises WarehouseError."""
    return [Gap(**row) for row in _ACCEPTED.rows(warehouse)]


def accept(warehouse: Warehouse, gaps: Sequence[Gap], reason: str, now: datetime) -> None:
    """Record gaps as accepted. One that is recorded twice counts once. Raises WarehouseError."""
    rows = [{**asdict(gap), "accepted_at": now.isoformat(), "reason": reason} for gap in gaps]
    append_rows(warehouse, ACCEPTED_LOSSES, rows)


def wanted_and_expired(
    warehouse: Warehouse,
    topic: str,
    topic_id: str,
    checkpoint: Mapping[int, int],
    first: Mapping[int, int],
    starts: Mapping[int, int],
) -> tuple[dict[int, int], list[Gap]]:
    """The next offset to land of each partition, as far as it is known, and the wanted records that Kafka deleted.

    `checkpoint` has the next offsets of a query, `first` those where one is to begin; each is empty without one.
    `starts` is the first offset that Kafka has of each partition.

    Either wants a partition that it does not know from its first record. What has landed after it is not wanted.
    Without both, a partition of which nothing has landed is wanted from its first accepted loss, if there is one. A
    loss that was accepted has not expired. Where there is a checkpoint before a gap, an acceptance was recorded and not
    completed: it is still to be made. Raises WarehouseError.
    """
    landed = {number: offset + 1 for number, offset in landed_offsets(warehouse, topic, topic_id).items()}
    if checkpoint:
        wanted = {number: max(checkpoint.get(number, 0), landed.get(number, 0)) for number in starts}
        return wanted, expired(topic, topic_id, wanted, starts)
    wanted = {number: max(first.get(number, 0), landed.get(number, 0)) for number in starts} if first else landed
    if all(start <= wanted.get(number, 0) for number, start in starts.items()):
        return wanted, []
    accepted = [gap for gap in accepted_gaps(warehouse) if (gap.kafka_topic, gap.kafka_topic_id) == (topic, topic_id)]
    wanted = {gap.kafka_partition: gap.first_offset for gap in reversed(accepted)} | wanted  # ordered by offset
    return wanted, [part for gap in expired(topic, topic_id, wanted, starts) for part in without(gap, accepted)]


def expired(topic: str, topic_id: str, wanted: Mapping[int, int], starts: Mapping[int, int]) -> list[Gap]:
    """The records that are wanted next and that Kafka no longer has, by the first offset it still has."""
    return [
        Gap(topic, topic_id, number, offset, starts[number])
        for number, offset in sorted(wanted.items())
        if number in starts and offset < starts[number]
    ]
