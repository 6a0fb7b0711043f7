"""A message is replayed once: it is known by the id of its topic, its partition and its offset."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from google.cloud import bigquery

from csat.bigquery.positions import name_older_rows
from csat.bigquery.rejected import Rejected, list_rejected, record_replayed, show_rejected, unreplayed
from csat.bigquery.tables import append_rows, create_ops_tables, ops_table
from tests.integration.marts.conftest import Marts, Rows, at, survey_response

pytestmark = pytest.mark.integration

DAY = date(2026, 11, 10)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def world(make_marts: Callable[[], Marts]) -> Marts:
    """An empty landing table, and no replays."""
    return make_marts()


def rejected(number: int, topic_id: str | None, ingested_at: datetime) -> dict[str, Any]:
    """A rejected row at this offset of this topic."""
    return survey_response(
        number,
        at(DAY),
        kafka_topic_id=topic_id,
        ingested_at=ingested_at,
        rejection_reason="not UTF-8",
        payload="AA==",
    )


def waiting(world: Marts) -> Rows:
    return unreplayed(world.warehouse, Rejected(), limit=10)


def places(world: Marts) -> list[tuple[str | None, int]]:
    """Topic id and offset of the messages that wait for a replay."""
    return sorted((row["kafka_topic_id"], row["kafka_offset"]) for row in waiting(world))


def test_message_of_a_topic_that_was_created_again_is_replayed_too(world: Marts) -> None:
    world.land([rejected(1, "old", NOON)])
    record_replayed(world.warehouse, waiting(world), NOON + HOUR)
    assert places(world) == []
    world.land([rejected(1, "new", NOON)])
    assert places(world) == [("new", 1)]
    shown = show_rejected(world.warehouse, 0, 1)
    listed = list_rejected(world.warehouse, Rejected(), limit=10)
    assert [row["kafka_topic_id"] for row in shown] == ["new", "old"]
    assert {row["kafka_topic_id"] for row in listed} == {"new", "old"}
    record_replayed(world.warehouse, waiting(world), NOON + HOUR)
    assert places(world) == []


def test_message_that_was_replayed_before_its_topic_was_named_is_not_replayed_again(world: Marts) -> None:
    world.land([rejected(1, None, NOON)])
    record_replayed(world.warehouse, waiting(world), NOON + HOUR)
    assert places(world) == []
    name_older_rows(world.warehouse, "messages", "id")
    assert places(world) == []


def test_record_of_a_release_without_topic_ids_counts_for_what_had_landed_by_then(world: Marts) -> None:
    client, table = world.warehouse.client, ops_table(world.settings, "replays")
    client.delete_table(table)
    fields = [field for field in table.schema if field.name != "kafka_topic_id"]
    client.create_table(bigquery.Table(table.reference, schema=fields))
    create_ops_tables(world.warehouse)
    place = {"kafka_topic": "messages", "kafka_partition": 0, "kafka_offset": 1}
    append_rows(world.warehouse, "replays", [{**place, "replayed_at": NOON.isoformat()}])
    world.land([rejected(1, "old", NOON - HOUR), rejected(1, "new", NOON + HOUR), rejected(2, "old", NOON - HOUR)])
    assert places(world) == [("new", 1), ("old", 2)]
