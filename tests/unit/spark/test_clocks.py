"""The earlier of Kafka's clock and the stream's decides what is the future; the stream's decides what is too old."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from csat.contract import landing
from spark.transform import landing_rows
from tests.unit.spark.conftest import LIMITS, messages

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
    [row] = landing_rows(batch, "query-7", "topic-id", LIMITS).to_pylist()
    assert (row["rejection_reason"], row["kafka_timestamp"]) == (reason, received_at)


# 3,650 days before the time of reading, 2026-11-20T12:00:01Z
EARLIEST = "2016-11-22T12:00:01Z"
OLD = [
    (EARLIEST, None),
    ("2016-11-22T12:00:00.999999Z", "answered too long ago"),
    ("2016-11-23T02:00:01+14:00", None),
    ("2016-11-23T02:00:00+14:00", "answered too long ago"),
    ("2016-11-22T00:00:01-12:00", None),
    ("2016-11-22T00:00:00-12:00", "answered too long ago"),
    ("2020-02-29T23:59:59Z", None),
    ("2016-02-29T00:00:00Z", "answered too long ago"),
    ("2023-02-29T00:00:00Z", "invalid survey_answered_at: text that is no timestamp"),
    ("1970-01-01T00:00:00Z", "answered too long ago"),
    ("1969-12-31T23:59:59.999Z", "answered too long ago"),
    ("0001-01-01T00:00:00Z", "answered too long ago"),
    ("0001-01-01T00:00:00+14:00", "survey_answered_at out of range"),
    ("9999-12-31T23:59:59Z", "answered in the future"),
    ("9999-12-31T23:59:59-01:00", "survey_answered_at out of range"),
]


@pytest.mark.parametrize(("answered_at", "reason"), OLD)
def test_landing_row_is_not_answered_more_than_ten_years_before_it_is_read(make_message, now, answered_at, reason):
    batch = messages([make_message(survey_answered_at=answered_at)], now)
    [row] = landing_rows(batch, "query-7", "topic-id", LIMITS).to_pylist()
    assert row["rejection_reason"] == reason


def test_clock_of_a_producer_does_not_make_an_old_response_recent(make_message, now):
    """A producer whose clock starts in 1970 sends both times so, with message.timestamp.type=CreateTime."""
    batch = messages([make_message(survey_answered_at="1970-01-01T00:05:00Z")], datetime(1970, 1, 1, tzinfo=UTC), now)
    [row] = landing_rows(batch, "query-7", "topic-id", LIMITS).to_pylist()
    assert row["rejection_reason"] == "answered too long ago"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (LIMITS._replace(ahead=timedelta(minutes=59)), "answered in the future"),
        (LIMITS._replace(ahead=timedelta(minutes=60)), None),
    ],
)
def test_allowance_is_a_parameter(make_message, now, limits, reason):
    batch = messages([make_message(survey_answered_at="2026-11-20T13:00:00Z")], now)
    assert landing_rows(batch, "q", "topic-id", limits).to_pylist()[0]["rejection_reason"] == reason


@pytest.mark.parametrize(("days", "reason"), [(2, "answered too long ago"), (3, None)])
def test_age_is_a_parameter(make_message, now, days, reason):
    batch = messages([make_message(survey_answered_at="2026-11-18T12:00:00Z")], now)
    limits = LIMITS._replace(age=timedelta(days=days))
    assert landing_rows(batch, "q", "topic-id", limits).to_pylist()[0]["rejection_reason"] == reason


def test_responses_of_4001_days_are_rows_of_one_partition(make_message, now):
    """BigQuery refuses a load job that modifies more than 4,000, for as long as it is repeated."""
    days = [now - timedelta(days=back) for back in range(4_001)]
    batch = messages([make_message(survey_answered_at=day.isoformat()) for day in days], now)
    rows = landing_rows(batch, "query-7", "topic-id", LIMITS)
    partitions = {moment.date() for moment in rows[landing.PARTITION_COLUMN].to_pylist()}
    assert (rows.num_rows, partitions) == (4_001, {now.date()})
    assert rows["rejection_reason"].to_pylist().count("answered too long ago") == 351


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
    [row] = landing_rows(batch, "query-7", "topic-id", LIMITS).to_pylist()
    assert row["kafka_timestamp"] == landed
