"""Rejected messages: counts by reason, offsets, bytes, and which were replayed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query
from csat.bigquery.tables import append_rows

# Before the first release of Kafka
_BEGINNING = datetime.fromisoformat("2011-01-01T00:00:00+00:00")
_REPLAYS = "replays"

_COUNTS = Query.read(__file__, "rejected_counts")
_MESSAGES = Query.read(__file__, "rejected_messages")
_MESSAGE = Query.read(__file__, "rejected_message")
_UNREPLAYED = Query.read(__file__, "unreplayed_messages")


@dataclass(frozen=True)
class Rejected:
    """A filter of rejected messages: the reason starts with `reason`, and the stream read them at or after `since`."""

    reason: str = ""
    since: datetime = _BEGINNING


def count_rejected(warehouse: Warehouse, which: Rejected) -> list[dict[str, Any]]:
    """A row for each reason, the most common first: rejection_reason, message_count, first_at, last_at."""
    return _COUNTS.rows(warehouse, reason=which.reason, since=which.since)


def list_rejected(warehouse: Warehouse, which: Rejected, limit: int) -> list[dict[str, Any]]:
    """The newest rejected messages with offset, time, reason and size, without their bytes."""
    return _MESSAGES.rows(warehouse, reason=which.reason, since=which.since, row_limit=limit)


def show_rejected(warehouse: Warehouse, partition: int, offset: int) -> list[dict[str, Any]]:
    """The rejected message at this partition and offset with its bytes; one for each topic id that has them."""
    return _MESSAGE.rows(warehouse, partition=partition, offset=offset)


def unreplayed(warehouse: Warehouse, which: Rejected, limit: int) -> list[dict[str, Any]]:
    """Offset and bytes of rejected messages that were never replayed, the oldest first."""
    return _UNREPLAYED.rows(warehouse, reason=which.reason, since=which.since, row_limit=limit)


def record_replayed(warehouse: Warehouse, rows: Iterable[dict[str, Any]], replayed_at: datetime) -> None:
    """Record the rejected messages that were replayed."""
    key = ("kafka_topic", "kafka_topic_id", "kafka_partition", "kafka_offset")
    records = [{**{name: row[name] for name in key}, "replayed_at": replayed_at.isoformat()} for row in rows]
    append_rows(warehouse, _REPLAYS, records)
