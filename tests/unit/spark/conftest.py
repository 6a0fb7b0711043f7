"""One Spark session for the tests of transforms."""

import os
import sys
from collections.abc import Iterator
from datetime import datetime

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from csat.settings import Settings
from spark.session import session_options
from spark.transform import landing_rows

# Spark's workers are otherwise whatever python3 is on PATH.
os.environ["PYSPARK_PYTHON"] = sys.executable
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"

MESSAGES = "value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP"


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A session with the stream's own options, without the JVM's slow second compiler."""
    builder = SparkSession.builder.appName("csat-tests")
    for name, value in session_options(Settings(spark_master="local[1]", _env_file=None)).items():
        builder = builder.config(name, value)
    session = builder.config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1").getOrCreate()
    yield session
    session.stop()


@pytest.fixture
def land(spark: SparkSession, now: datetime):
    """Turns message values into landing rows, in the order of the values."""

    def run(*values: bytes | None) -> list[dict[str, object]]:
        records = [(value, "messages", 0, offset, now) for offset, value in enumerate(values)]
        messages: DataFrame = spark.createDataFrame(records, MESSAGES)
        rows = landing_rows(messages, F.lit(now), mark="only the stream knows")
        return [row.asDict() for row in rows.orderBy("kafka_offset").collect()]

    return run
