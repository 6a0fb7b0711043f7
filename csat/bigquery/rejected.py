"""Rejected messages: counts by reason, offsets, bytes, and which were replayed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csat.bigquery.client import Warehouse
from csat.bigquery.tables import append_rows
from csat.contract import landing

# Before the first release of Kafka
_BEGINNING = datetime.fromisoformat("2011-01-01T00:00:00+00:00")
_REPLAYS = "replays"

_MATCHING = """
    from `{landing}` as rejected
    where rejected.rejection_reason is not null
        and starts_with(rejected.rejection_reason, @reason)
        and rejected.kafka_timestamp >= @since
"""
_COUNT_SQL = (
    """
    select
        rejected.rejection_reason,
        count(*) as message_count,
        min(rejected.kafka_timestamp) as first_at,
        max(rejected.kafka_timestamp) as last_at
"""
    + _MATCHING
    + """
    group by rejected.rejection_reason
    order by message_count desc, rejected.rejection_reason
"""
)
_LIST_SQL = (
    """
    select
        rejected.kafka_topic,
        rejected.kafka_partition,
        rejected.kafka_offset,
        rejected.kafka_timestamp,
        rejected.rejection_reason,
        length(rejected.payload) as payload_bytes
"""
    + _MATCHING
    + """
    order by rejected.kafka_timestamp desc, rejected.kafka_partition, rejected.kafka_offset desc
    limit @row_limit
"""
)
_SHOW_SQL = """
    select kafka_topic, kafka_partition, kafka_offset, kafka_timestamp, rejection_reason, payload
    from `{landing}`
    where rejection_reason is not null and kafka_partition = @partition and kafka_offset = @offset
    order by kafka_topic
"""
_UNREPLAYED_SQL = (
    """
    select rejected.kafka_topic, rejected.kafka_partition, rejected.kafka_offset, rejected.payload
"""
    + _MATCHING
    + """
        and rejected.payload is not null
        and not exists (
            select 1
            from `{replays}` as replays
            where replays.kafka_topic = rejected.kafka_topic
                and replays.kafka_partition = rejected.kafka_partition
                and replays.kafka_offset = rejected.kafka_offset
        )
    order by rejected.kafka_timestamp, rejected.kafka_partition, rejected.kafka_offset
    limit @row_limit
"""
)


@dataclass(frozen=True)
class Rejected:
    """A filter of rejected messages: the reason starts with `reason`, and Kafka received them at or after `since`."""

    reason: str = ""
    since: datetime = _BEGINNING


def count_rejected(warehouse: Warehouse, which: Rejected) -> list[dict[str, Any]]:
    """A row for each reason, the most common first: rejection_reason, message_count, first_at, last_at."""
    return _rows(warehouse, _COUNT_SQL, which)


def list_rejected(warehouse: Warehouse, which: Rejected, limit: int) -> list[dict[str, Any]]:
    """The newest rejected messages with offset, time, reason and size, without their bytes."""
    return _rows(warehouse, _LIST_SQL, which, row_limit=limit)


def show_rejected(warehouse: Warehouse, partition: int, offset: int) -> list[dict[str, Any]]:
    """The rejected message at this partition and offset with its bytes; one for each topic that has them."""
    return warehouse.rows(_SHOW_SQL.format(**_tables(warehouse)), partition=partition, offset=offset)


def unreplayed(warehouse: Warehouse, which: Rejected, limit: int) -> list[dict[str, Any]]:
    """Offset and bytes of rejected messages that were never replayed, the oldest first."""
    return _rows(warehouse, _UNREPLAYED_SQL, which, row_limit=limit)


def record_replayed(warehouse: Warehouse, rows: Iterable[dict[str, Any]], replayed_at: datetime) -> None:
    """Record the rejected messages that were replayed."""
    key = ("kafka_topic", "kafka_partition", "kafka_offset")
    records = [{**{name: row[name] for name in key}, "replayed_at": replayed_at.isoformat()} for row in rows]
    append_rows(warehouse, _REPLAYS, records)


def _tables(warehouse: Warehouse) -> dict[str, str]:
    settings = warehouse.settings
    return {"landing": settings.table("raw", landing.TABLE), "replays": settings.table("ops", _REPLAYS)}


def _rows(warehouse: Warehouse, sql: str, which: Rejected, **parameters: Any) -> list[dict[str, Any]]:
    sql = sql.format(**_tables(warehouse))
    return warehouse.rows(sql, reason=which.reason, since=which.since, **parameters)
