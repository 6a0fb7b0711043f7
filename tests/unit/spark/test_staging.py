"""Spark and its workers write batches to files."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from pyspark.sql import DataFrame, SparkSession

from csat.contract.settings import Settings
from spark.staging import stage

MESSAGE = "value BINARY, topic STRING, partition INT, offset LONG, timestamp TIMESTAMP, timestampType INT"


RECEIVED = datetime(2026, 11, 20, 12, tzinfo=UTC)


def batch(spark: SparkSession, offset: int, value: bytes = b"no answer", received: datetime = RECEIVED) -> DataFrame:
    """One message, as the Kafka source delivers it."""
    return spark.createDataFrame([(value, "messages", 0, offset, received, 0)], MESSAGE)


def staged_row(messages: DataFrame, settings: Settings, folder: Path, batch_id: str = "query-1") -> dict[str, Any]:
    """The row of one message."""
    [file] = stage(messages, settings, folder.as_uri(), batch_id, "topic-id")
    [row] = parquet.read_table(file.uri.removeprefix("file://")).to_pylist()
    return dict(row)


def compilations(spark: SparkSession) -> int:
    jvm: Any = spark._jvm
    return int(jvm.org.apache.spark.metrics.source.CodegenMetrics.METRIC_COMPILATION_TIME().getCount())


def test_batches_get_their_staging_time_from_code_that_is_compiled_once(spark: SparkSession, tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, _env_file=None)
    known = []
    for number in range(4):
        began = datetime.now(UTC)
        row = staged_row(batch(spark, number), settings, tmp_path / str(number), f"query-{number}")
        assert (row["kafka_offset"], row["batch_id"]) == (number, f"query-{number}")
        assert began <= row["ingested_at"] <= datetime.now(UTC)
        known.append(compilations(spark))
    assert known[-1] == known[0] > 0


@pytest.mark.parametrize(
    ("after", "limits", "reason"),
    [
        (timedelta(hours=1), {"max_minutes_ahead": 59}, "answered in the future"),
        (timedelta(hours=1), {"max_minutes_ahead": 60}, None),
        (timedelta(days=-3), {"max_days_old": 2}, "answered too long ago"),
        (timedelta(days=-3), {"max_days_old": 4}, None),
    ],
)
def test_the_settings_limit_how_far_a_response_may_be_ahead_and_how_old(
    spark: SparkSession,
    tmp_path: Path,
    make_message: Callable[..., bytes],
    after: timedelta,
    limits: dict[str, int],
    reason: str | None,
) -> None:
    received = datetime.now(UTC) - timedelta(seconds=1)
    message = make_message(survey_answered_at=(received + after).isoformat())
    settings = Settings(state_dir=tmp_path, _env_file=None, **limits)  # type: ignore[arg-type]  # the others are defaults
    assert staged_row(batch(spark, 0, message, received), settings, tmp_path)["rejection_reason"] == reason
