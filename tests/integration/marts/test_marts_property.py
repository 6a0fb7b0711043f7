"""For any messages in any order, with builds in between, the marts equal one full refresh, row for row."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.integration.marts.conftest import Marts, Rows, at, survey_response

pytestmark = pytest.mark.integration

FIRST_DAY = date(2026, 10, 1)
FIRST_BATCH_AT = datetime(2026, 11, 1, tzinfo=UTC)
BETWEEN_BATCHES = timedelta(hours=1)
CATEGORIES = [("Returns", "Wrong"), ("Returns", "Missing"), ("Others", "Wrong")]

# Failing examples are not shrunk: each attempt takes half a minute.
FEW = settings(
    max_examples=1,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


class Event(NamedTuple):
    """One message: `earlier` is the index of the earlier response that it re-sends, if any.

    `is_same`: unchanged. `is_first_in_kafka`: it was delayed after Kafka, and counts before the others.
    `is_straggler`: the stream read it shortly before the previous batch.
    """

    earlier: int | None
    is_same: bool
    is_first_in_kafka: bool
    is_straggler: bool
    is_rejected: bool
    day: int
    hour: int
    agent: int
    category: int
    score: int
    first_reply_minutes: int


class Batch(NamedTuple):
    """The events that land together, and whether the marts are built afterwards."""

    events: list[Event]
    is_built: bool


events = st.builds(
    Event,
    earlier=st.none() | st.integers(0, 30),
    is_same=st.booleans(),
    is_first_in_kafka=st.booleans(),
    is_straggler=st.booleans(),
    is_rejected=st.integers(0, 9).map(lambda number: number == 0),
    day=st.integers(0, 20) | st.sampled_from([0, 20, 27, 28, 34, 35]),  # includes the edges of windows
    hour=st.integers(0, 23),
    agent=st.integers(0, 2),
    category=st.integers(0, 2),
    score=st.integers(1, 5),
    first_reply_minutes=st.sampled_from([-1, 0, 5, 6, 60, 61, 1440, 1441]),
)
histories = st.lists(st.builds(Batch, st.lists(events, min_size=1, max_size=12), st.booleans()), min_size=2, max_size=4)


def new(day: int, **changes: Any) -> Event:
    plain = Event(None, False, False, False, False, day, 12, 0, 0, 5, 10)
    return plain._replace(**changes)


# A duplicate that wins from another date, one that loses, a day that is left without a response, and a batch without an
# accepted message.
EDGE_CASES = [
    Batch([new(3), new(10), new(20), new(20, agent=1)], is_built=True),
    Batch([new(5, earlier=0, is_first_in_kafka=True, score=1), new(12, earlier=1, score=1), new(34)], is_built=True),
    Batch([new(34, is_rejected=True)], is_built=True),
    Batch([new(0, agent=2, is_straggler=True), new(20, earlier=2, is_same=True)], is_built=False),
]


def landing_rows(history: list[Batch]) -> list[Rows]:
    """The rows of each batch."""
    batches: list[Rows] = []
    accepted: Rows = []
    for batch_number, batch in enumerate(history):
        read_at = FIRST_BATCH_AT + batch_number * BETWEEN_BATCHES
        rows: Rows = []
        for event in batch.events:
            offset = sum(map(len, batches)) + len(rows)
            row = _row(event, offset, read_at, accepted) | {"batch_id": f"b{batch_number}"}
            rows.append(row)
            accepted += [row] if "response_id" in row else []
        batches.append(rows)
    return batches


def _row(event: Event, offset: int, read_at: datetime, accepted: Rows) -> dict[str, Any]:
    ingested_at = read_at - (BETWEEN_BATCHES + timedelta(minutes=2)) * event.is_straggler
    place = {"kafka_topic": "messages", "kafka_partition": 0, "kafka_offset": offset, "ingested_at": ingested_at}
    kafka_timestamp = FIRST_BATCH_AT - timedelta(days=1) if event.is_first_in_kafka else read_at - timedelta(seconds=30)
    if event.is_rejected:
        return place | {"kafka_timestamp": kafka_timestamp, "rejection_reason": "not UTF-8", "payload": "AA=="}
    earlier = accepted[event.earlier % len(accepted)] if event.earlier is not None and accepted else None
    if earlier is not None and event.is_same:
        return earlier | place | {"kafka_timestamp": kafka_timestamp}
    answered_at = at(FIRST_DAY + timedelta(days=event.day), event.hour)
    category, sub_category = CATEGORIES[event.category]
    return survey_response(
        offset,
        answered_at,
        response_id=earlier["response_id"] if earlier is not None else f"r{offset}",
        agent_id=f"a{event.agent}",
        agent_name=f"Agent {event.agent} {event.score}",
        category=category,
        sub_category=sub_category,
        csat_score=event.score,
        issue_reported_at=answered_at - timedelta(days=3),
        issue_responded_at=answered_at - timedelta(days=3) + timedelta(minutes=event.first_reply_minutes),
        **place,
        kafka_timestamp=kafka_timestamp,
    )


def check(world: Marts, history: list[Batch]) -> None:
    for batch, rows in zip(history, landing_rows(history), strict=True):
        world.land(rows)
        if batch.is_built:
            world.build()
    world.build()
    if all("response_id" not in row for row in world.landed):
        return  # no marts yet
    before = world.snapshot()
    world.build(full_refresh=True)
    for table, expected in world.snapshot().items():
        assert before[table] == expected, table


@example(history=EDGE_CASES)
@FEW
@given(history=histories)
def test_builds_by_date_equal_one_full_refresh(make_marts: Callable[[], Marts], history: list[Batch]) -> None:
    check(make_marts(), history)


@pytest.mark.long
@pytest.mark.timeout(7_200)
@settings(FEW, max_examples=50)
@given(history=histories)
def test_builds_by_date_equal_one_full_refresh_fifty_times(
    make_marts: Callable[[], Marts], history: list[Batch]
) -> None:
    check(make_marts(), history)
