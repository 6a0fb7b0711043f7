"""No clock but the earlier of Kafka's and the stream's decides which responses are of the future."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from spark.transform import landing_rows
from tests.unit.spark.conftest import messages

NEXT_YEAR = datetime(2027, 11, 20, 12, tzinfo=UTC)
CLOCKS = [  # Kafka's record time, the time of reading, the answer's time, the reason
    (NEXT_YEAR, datetime(2026, 11, 20, 12, tzinfo=UTC), "2027-11-20T12:00:00Z", "answered in the future"),
    (NEXT_YEAR, datetime(2026, 11, 20, 12, tzinfo=UTC), "2026-11-20T12:15:00Z", None),
    (datetime(2026, 11, 20, 12, tzinfo=UTC), NEXT_YEAR, "2027-11-20T12:00:00Z", "answered in the future"),
    (datetime(2026, 11, 20, 12, tzinfo=UTC), NEXT_YEAR, "2026-11-20T12:15:00Z", None),
]


@pytest.mark.parametrize(("received_at", "ingested_at", "answered_at", "reason"), CLOCKS)
def test_landing_row_is_not_answered_after_the_earlier_of_both_clocks(
    make_message, received_at, ingested_at, answered_at, reason
):
    """With message.timestamp.type=CreateTime Kafka's record time is the producer's, and both may be a year ahead."""
    batch = messages([make_message(survey_answered_at=answered_at)], received_at, ingested_at)
    [row] = landing_rows(batch, "query-7", "topic-id", timedelta(minutes=15)).to_pylist()
    assert (row["rejection_reason"], row["kafka_timestamp"]) == (reason, received_at)


def test_allowance_is_a_parameter(make_message, now):
    batch = messages([make_message(survey_answered_at="2026-11-20T13:00:00Z")], now)
    reasons = [
        landing_rows(batch, "q", "topic-id", timedelta(minutes=most)).to_pylist()[0]["rejection_reason"]
        for most in (59, 60)
    ]
    assert reasons == ["answered in the future", None]


@pytest.mark.parametrize(
    ("producers", "landed"),
    [
        (1_763_636_400_000_000_000, datetime.max.replace(tzinfo=UTC)),  # microseconds, sent as milliseconds
        (-(10**18), datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_landing_row_has_a_kafka_time_that_bigquery_accepts(make_message, now, producers, landed):
    batch = messages([make_message()], now)
    times = pa.array([producers], pa.int64()).cast(pa.timestamp("us", "UTC"))
    batch = batch.set_column(batch.schema.get_field_index("timestamp"), "timestamp", times)
    [row] = landing_rows(batch, "query-7", "topic-id", timedelta(minutes=15)).to_pylist()
    assert row["kafka_timestamp"] == landed
