"""Spark and its workers write batches to files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyarrow import parquet
from pyspark.sql import DataFrame, SparkSession

from csat.contract.settings import Settings
from spark.staging import stage

MESSAGE = "value BINARY, topic STRING, partition INT, offset LONG, timestamp TIMESTAMP, timestampType INT"


def batch(spark: SparkSession, offset: int) -> DataFrame:
    """One message, as the Kafka source delivers it."""
    received = datetime(2026, 11, 20, 12, tzinfo=UTC)
    return spark.createDataFrame([(b"no answer", "messages", 0, offset, received, 0)], MESSAGE)


def compilations(spark: SparkSession) -> int:
    jvm: Any = spark._jvm
    return int(jvm.org.apache.spark.metrics.source.CodegenMetrics.METRIC_COMPILATION_TIME().getCount())


def test_batches_get_their_staging_time_from_code_that_is_compiled_once(spark: SparkSession, tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, _env_file=None)
    known = []
    for number in range(4):
        began = datetime.now(UTC)
        [file] = stage(batch(spark, number), settings, (tmp_path / str(number)).as_uri(), f"query-{number}", "topic-id")
        [row] = parquet.read_table(file.uri.removeprefix("file://")).to_pylist()
        assert (row["kafka_offset"], row["batch_id"]) == (number, f"query-{number}")
        assert began <= row["ingested_at"] <= datetime.now(UTC)
        known.append(compilations(spark))
    assert known[-1] == known[0] > 0
