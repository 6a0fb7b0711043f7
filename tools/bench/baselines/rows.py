"""The landing rows of the baselines."""

from datetime import datetime
from typing import Any

import pyarrow as pa

from csat.contract import landing
from csat.contract.landing import ColumnKind

_TYPES = {
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.PRICE: pa.decimal128(12, 2),
    ColumnKind.TIMESTAMP: pa.timestamp("us", "UTC"),
    ColumnKind.BYTES: pa.binary(),
}
# The price is a float here; the load job converts it to NUMERIC
ARROW_SCHEMA = pa.schema(
    [
        (column.name, pa.float64() if column.kind is ColumnKind.PRICE else _TYPES.get(column.kind, pa.string()))
        for column in landing.COLUMNS
    ]
)
TIMES = tuple(column.name for column in landing.EVENT_COLUMNS if column.kind is ColumnKind.TIMESTAMP)


def place(message: Any, now: datetime) -> dict[str, Any]:
    """The Kafka columns of a confluent-kafka message, and when it was read."""
    return {
        "kafka_topic": message.topic(),
        "kafka_partition": message.partition(),
        "kafka_offset": message.offset(),
        "kafka_timestamp": message.timestamp()[1] * 1000,
        "ingested_at": now,
        "batch_id": "plain",
    }
