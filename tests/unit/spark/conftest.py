"""Messages as Spark's workers get them."""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from spark.transform import landing_rows

TIME = pa.timestamp("us", "UTC")


def messages(values: list[bytes | None], now: datetime) -> pa.RecordBatch:
    """One batch of one partition, received at `now` and read a second later."""
    count = len(values)
    return pa.RecordBatch.from_pydict(
        {
            "value": pa.array(values, pa.binary()),
            "topic": pa.array(["messages"] * count, pa.string()),
            "partition": pa.array([2] * count, pa.int32()),
            "offset": pa.array(range(count), pa.int64()),
            "timestamp": pa.array([now] * count, TIME),
            "ingested_at": pa.array([now + timedelta(seconds=1)] * count, TIME),
        }
    )


@pytest.fixture
def land(now: datetime):
    """Turns message values into landing rows, in the order of the values."""

    def run(*values: bytes | None) -> list[dict[str, Any]]:
        return landing_rows(messages(list(values), now), "query-7").to_pylist()

    return run
