"""Whether Kafka's log is the one whose records have landed.

A partition whose log was emptied, or lost its end, gives offsets that have landed to other records. The topic keeps its
id then, and once the log is as long as before, no offset shows it.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from kafka.consumer.fetcher import ConsumerRecord

from csat.bigquery.client import Warehouse
from csat.bigquery.erasures import ERASED, EVER
from csat.bigquery.positions import landed_since
from csat.bigquery.query import Query
from csat.kafka.records import records_at

# Spark converts times before 1970 by another calendar or not at all, and the landing table ends with the year 9999
_EXACT_TIMES = range(253_402_300_800_000)

_LAST = Query.read(__file__, "last_landed_records")


@dataclass(frozen=True)
class LandedRecord:
    """What the landing table has of a record: its place, its time in milliseconds, and its response id or its bytes."""

    kafka_partition: int
    kafka_offset: int
    timestamp_ms: int | None
    response_id: str | None
    payload: bytes | None

    def is_of(self, record: ConsumerRecord) -> bool:
        """Whether this is the record that landed, as far as it can be seen: an erased row has neither id nor bytes."""
        if self.timestamp_ms is not None and record.timestamp in _EXACT_TIMES and record.timestamp != self.timestamp_ms:
            return False
        value = bytes(record.value or b"")
        if self.payload is not None:
            return value == self.payload
        if self.response_id is None or self.response_id.startswith(ERASED):
            return True
        return _names(value.decode(errors="replace"), self.response_id)


def _names(message: str, response_id: str) -> bool:
    """Whether the message has this id, perhaps written with escapes."""
    if response_id in message.lower():
        return True
    try:
        return response_id in str(json.loads(message)).lower()
    except ValueError:
        return False
    except RecursionError:  # nobody knows
        return True


def replaced_partitions(warehouse: Warehouse, topic: str, topic_id: str, since: datetime = EVER) -> list[int]:
    """The partitions of this topic where Kafka has another record, or none, at the greatest landed offset.

    Of rows, those count that the stream read in the two days before `since` or later. What Kafka has deleted is not
    compared. Raises WarehouseError and KafkaAccessError.
    """
    rows = _LAST.rows(warehouse, topic=topic, topic_id=topic_id, since=landed_since(since))
    landed = {row["kafka_partition"]: LandedRecord(**row) for row in rows}
    if not landed:
        return []
    offsets = {number: one.kafka_offset for number, one in landed.items()}
    found = records_at(warehouse.settings, topic, topic_id, offsets)
    return sorted(number for number, record in found.items() if record is None or not landed[number].is_of(record))
