"""The landing row as the contenders make it."""

from datetime import datetime
from typing import Any

import pyarrow as pa

from csat import landing
from csat.landing import ColumnKind

_TYPES = {
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.PRICE: pa.decimal128(12, 2),
    ColumnKind.TIMESTAMP: pa.timestamp("us", "UTC"),
    ColumnKind.BYTES: pa.binary(),
}
# The price goes in as the number that it is; the load job makes it a NUMERIC
ARROW_SCHEMA = pa.schema(
    [
        (column.name, pa.float64() if column.kind is ColumnKind.PRICE else _TYPES.get(column.kind, pa.string()))
        for column in landing.COLUMNS
    ]
)
TIMES = tuple(column.name for column in landing.EVENT_COLUMNS if column.kind is ColumnKind.TIMESTAMP)


def place(message: Any, now: datetime) -> dict[str, Any]:
    """Where a confluent-kafka message was, and when it was read."""
    return {
        "kafka_topic": message.topic(),
        "kafka_partition": message.partition(),
        "kafka_offset": message.offset(),
        "kafka_timestamp": message.timestamp()[1] * 1000,
        "ingested_at": now,
        "batch_id": "plain",
    }
