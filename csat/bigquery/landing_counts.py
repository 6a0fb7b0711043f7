"""Counts of the landing table: rows, and the landed offsets of each Kafka partition."""

from dataclasses import dataclass

from csat.bigquery.client import Warehouse
from csat.contract import landing


@dataclass(frozen=True)
class Landed:
    """The rows of one partition in the landing table."""

    rows: int
    distinct_offsets: int
    min_offset: int | None
    max_offset: int | None


NOTHING_LANDED = Landed(0, 0, None, None)


def landed_partitions(warehouse: Warehouse) -> dict[tuple[str, int], Landed]:
    """The landed rows of each topic and partition."""
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
