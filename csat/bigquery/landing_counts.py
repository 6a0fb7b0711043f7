"""Counts of the landing table: rows, and the landed offsets of each Kafka partition."""

from dataclasses import dataclass

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query

_PARTITIONS = Query.read(__file__, "landed_partitions")
_COUNTS = Query.read(__file__, "landing_counts")
_BATCH = Query.read(__file__, "batch_rows")


@dataclass(frozen=True)
class Landed:
    """The rows of one partition in the landing table."""

    rows: int
    distinct_offsets: int
    min_offset: int | None
    max_offset: int | None


NOTHING_LANDED = Landed(0, 0, None, None)


def landed_partitions(warehouse: Warehouse) -> dict[tuple[str, str, int], Landed]:
    """The landed rows of each topic, topic id and partition."""
    return {
        (row["kafka_topic"], row["kafka_topic_id"], row["kafka_partition"]): Landed(
            row["row_count"], row["distinct_offsets"], row["min_offset"], row["max_offset"]
        )
        for row in _PARTITIONS.rows(warehouse)
    }


def landing_counts(warehouse: Warehouse) -> dict[str, int]:
    """Rows of the landing table: all, accepted and rejected."""
    [counts] = _COUNTS.rows(warehouse)
    return {"rows": counts["row_count"], "accepted": counts["accepted_count"], "rejected": counts["rejected_count"]}


def batch_rows(warehouse: Warehouse, batch_id: str) -> int:
    """Rows of one batch of the stream. Raises WarehouseError."""
    [count] = _BATCH.rows(warehouse, batch_id=batch_id)
    return int(count["row_count"])
