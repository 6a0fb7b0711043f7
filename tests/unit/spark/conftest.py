"""Messages as Spark's workers get them, and a Spark session for tests that need Spark."""

import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from csat.contract.settings import Settings
from spark.message import TimeLimits
from spark.session import session_options
from spark.transform import landing_rows

os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
os.environ["PYSPARK_PYTHON"] = sys.executable

TIME = pa.timestamp("us", "UTC")
LIMITS = TimeLimits(ahead=timedelta(minutes=15), age=timedelta(days=3_650))


def messages(values: list[bytes | None], now: datetime, ingested_at: datetime | None = None) -> pa.RecordBatch:
    """One batch of one partition, received at `now` and read then, or a second later."""
    count = len(values)
    return pa.RecordBatch.from_pydict(
        {
            "value": pa.array(values, pa.binary()),
            "topic": pa.array(["messages"] * count, pa.string()),
            "partition": pa.array([2] * count, pa.int32()),
            "offset": pa.array(range(count), pa.int64()),
            "timestamp": pa.array([now] * count, TIME),
            "ingested_at": pa.array([ingested_at or now + timedelta(seconds=1)] * count, TIME),
        }
    )


@pytest.fixture
def land(now: datetime):
    """Turns message values into landing rows, in the order of the values."""

    def run(*values: bytes | None) -> list[dict[str, Any]]:
        batch = landing_rows(messages(list(values), now), "query-7", "topic-id", LIMITS)
        rows: list[dict[str, Any]] = batch.to_pylist()
        return rows

    return run


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A session with the stream's options, without the JVM's slow C2 compiler."""
    builder = SparkSession.builder.appName("csat-tests")
    for name, value in session_options(Settings(spark_master="local[1]", _env_file=None)).items():
        builder = builder.config(name, value)
    session = builder.config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1").getOrCreate()
    yield session
    session.stop()
