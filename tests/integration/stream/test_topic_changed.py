"""A topic that is another one than before: created again, renamed, in another cluster, emptied."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from csat.bigquery.landed_records import replaced_partitions
from csat.bigquery.tables import create_ops_tables
from csat.contract.errors import CsatError
from csat.control.checkpoint_topic import CheckpointTopic, write_topic
from csat.kafka.topic_id import describe_topic
from csat.monitoring.completeness import check_completeness
from csat.monitoring.decisions import adopt, find_change
from spark.checkpoint import last_batch_at
from spark.decision import DecisionNeededError
from spark.position import read_position, resume
from tests.integration.conftest import World, wait_for
from tests.integration.stream.conftest import Land
from tests.integration.stream.topics import (
    abort,
    catch_up,
    create,
    empty,
    expire,
    failure,
    follow_runbook,
    places,
    recreate,
    stopped_broker,
    values,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def world(world: World) -> World:
    create_ops_tables(world.warehouse)
    return world


def test_a_topic_that_is_created_again_stops_the_stream_until_it_is_adopted(world: World, make_message):
    world.send(*[make_message() for _ in range(5)])
    assert catch_up(world) == 0
    old = describe_topic(world.settings).topic_id
    recreate(world)
    world.send(*[make_message() for _ in range(8)])  # more than before: offsets alone show nothing
    assert catch_up(world) == 1
    alert, error = failure(world)
    assert (alert, old in error, "csat stream adopt-topic" in error) == ("topic_changed", True, True)
    assert len(places(world)) == 5
    assert describe_topic(world.settings).topic_id in follow_runbook(world, "topic_changed")
    assert catch_up(world) == 0
    new = describe_topic(world.settings).topic_id
    assert places(world) == sorted([(old, 0, n) for n in range(5)] + [(new, 0, n) for n in range(8)])
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)
    with pytest.raises(CsatError, match="is the topic that the stream reads"):
        find_change(world.settings, datetime.now(UTC))


def test_records_that_expire_before_the_new_topic_is_adopted_need_a_decision(world: World, land: Land, make_message):
    world.send(make_message())
    assert land(world) == 0
    recreate(world)
    world.send(*[make_message() for _ in range(8)])
    assert land(world) == 1
    expire(world, 5)
    follow_runbook(world, "topic_changed")
    assert land(world) == 1
    alert, error = failure(world)
    assert (alert, "partition 0: 0 to 4" in error) == ("records_expired", True)
    follow_runbook(world, "records_expired")
    assert land(world) == 0
    new = describe_topic(world.settings).topic_id
    assert [offset for topic_id, _, offset in places(world) if topic_id == new] == [5, 6, 7]


@pytest.mark.long
def test_a_topic_that_is_created_again_while_the_stream_runs_never_lands_under_the_old_id(
    world: World, land: Land, make_message
):
    world.send(*[make_message() for _ in range(5)])
    driver = world.start_driver()
    wait_for(lambda: len(world.offsets()) == 5, 120, "first batch", pause=1)
    old = describe_topic(world.settings).topic_id
    recreate(world)
    world.send(*[make_message() for _ in range(9)])
    assert driver.exit_code(120) == 1
    assert {place[0] for place in places(world)} == {old}
    assert land(world) == 1
    assert failure(world)[0] == "topic_changed"


def test_a_driver_that_read_the_checkpoint_just_before_it_was_moved_away_does_not_use_it(world: World, make_message):
    name, old = world.settings.kafka_topic, describe_topic(world.settings)
    kept = CheckpointTopic(name, old.topic_id, old.cluster_id)
    recreate(world)
    world.send(*[make_message() for _ in range(8)])
    with pytest.raises(DecisionNeededError, match=old.topic_id):
        read_position(world.settings, kept, {name: {0: 5, 1: 0}})
    position = read_position(world.settings, None, {})
    assert resume(world.settings, world.warehouse, position) == {0: 0, 1: 0}


def test_a_checkpoint_of_another_cluster_stops_the_stream_until_the_topic_is_adopted(
    world: World, land: Land, make_message
):
    world.send(*[make_message() for _ in range(3)])
    assert land(world) == 0
    here = describe_topic(world.settings)
    write_topic(world.settings.checkpoint, CheckpointTopic(here.name, here.topic_id, "the cluster before"))
    assert land(world) == 1
    alert, error = failure(world)
    assert (alert, "the cluster before" in error) == ("topic_changed", True)
    now = datetime.now(UTC)
    adopt(world.settings, world.warehouse, find_change(world.settings, now), now)
    world.send(make_message())
    assert land(world) == 0
    assert world.offsets() == list(range(4))


def test_another_topic_name_on_an_old_checkpoint_stops_the_stream(world: World, land: Land, make_message):
    world.send(make_message())
    assert land(world) == 0
    other = world.settings.model_copy(update={"kafka_topic": world.settings.kafka_topic + "-b"})
    elsewhere = World(other, world.warehouse)
    create(elsewhere)
    elsewhere.send(make_message())
    assert land(elsewhere) == 1
    alert, error = failure(elsewhere)
    assert (alert, world.settings.kafka_topic in error) == ("topic_changed", True)
    (Path(world.settings.checkpoint) / "csat_topic.json").unlink()  # as a version that kept no ids left it
    assert land(elsewhere) == 1
    follow_runbook(elsewhere, "topic_changed")
    assert land(elsewhere) == 0
    topics = {row["kafka_topic"] for row in world.rows("kafka_topic, kafka_partition, kafka_offset")}
    assert topics == {world.settings.kafka_topic, other.kafka_topic}


def test_a_broker_that_comes_back_empty_stops_the_stream_until_its_topic_is_adopted(
    world: World, land: Land, make_message
):
    world.send(*[make_message() for _ in range(5)])
    assert land(world) == 0
    old = describe_topic(world.settings)
    with stopped_broker(world) as logs:
        empty(logs)
    create(world)
    new = describe_topic(world.settings)
    assert (new.topic_id != old.topic_id, new.cluster_id != old.cluster_id) == (True, True)
    world.send(*[make_message() for _ in range(3)])
    assert land(world) == 1
    alert, error = failure(world)
    assert (alert, old.cluster_id in error, "csat stream adopt-topic" in error) == ("topic_changed", True, True)
    dead = {"CSAT_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}  # what was set before the move
    assert new.topic_id in follow_runbook(world, "topic_changed", 1, before=dead)
    assert land(world) == 0
    assert places(world) == sorted([(old.topic_id, 0, n) for n in range(5)] + [(new.topic_id, 0, n) for n in range(3)])
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)


@pytest.mark.parametrize("count", [8, pytest.param(3, marks=pytest.mark.long)])  # more than before, or fewer
def test_a_partition_that_comes_back_empty_stops_the_stream_until_its_records_are_in_a_new_topic(
    world: World, land: Land, make_message, count: int
):
    world.send(*[make_message() for _ in range(5)])
    assert land(world) == 0
    old = describe_topic(world.settings).topic_id
    with stopped_broker(world) as logs:
        shutil.rmtree(logs / f"{world.settings.kafka_topic}-0")
    assert describe_topic(world.settings).topic_id == old
    sent = [make_message(agent_id=f"agent-{number}") for number in range(count)]
    world.send(*sent)
    found = check_completeness(world.warehouse)
    assert (found.lost, found.replaced, found.is_complete) == (0, 1, False)
    assert land(world) == 1
    alert, error = failure(world)
    assert (alert, "log was emptied" in error, len(places(world))) == ("topic_changed", True, 5)
    now = datetime.now(UTC)
    with pytest.raises(CsatError, match="delete the topic and create it again"):
        find_change(world.settings, now)
    copy = values(world)
    assert copy == sent
    recreate(world)
    world.send(*copy)
    adopt(world.settings, world.warehouse, find_change(world.settings, now), now)
    assert land(world) == 0
    new = describe_topic(world.settings).topic_id
    assert places(world) == sorted([(old, 0, n) for n in range(5)] + [(new, 0, n) for n in range(count)])
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated, found.pending, found.is_complete) == (0, 0, 0, True)


def test_a_log_is_another_one_where_kafka_has_another_record_at_the_last_landed_offset(
    world: World, land: Land, make_message
):
    world.send(*[make_message() for _ in range(5)])
    world.send(*[make_message() for _ in range(600)], b"no JSON", partition=1)
    assert land(world) == 0
    world.send(*[make_message() for _ in range(3)])  # what follows does not count
    assert replaced(world) == []
    change(world, "kafka_timestamp = timestamp_add(kafka_timestamp, interval 1 millisecond)", 0, 3)
    assert replaced(world) == []  # nor does what was before
    change(world, "response_id = 'another'", 0, 4)
    assert replaced(world) == [0]
    change(world, "payload = b'other'", 1, 600)
    assert replaced(world) == [0, 1]
    expire(world, 5)
    assert replaced(world) == [1]  # Kafka has deleted the other
    expire(world, 601, partition=1)
    assert replaced(world) == []


def test_a_log_is_another_one_where_kafka_has_no_record_at_the_last_landed_offset(
    world: World, land: Land, make_message
):
    world.send(*[make_message() for _ in range(3)], partition=1)
    abort(world, make_message())
    assert land(world) == 0
    assert replaced(world) == []
    change(world, "kafka_partition = 0, kafka_offset = 0", 1, 1)
    assert replaced(world) == [0]  # of a transaction that was aborted
    change(world, "kafka_offset = 3", 1, 2)
    assert replaced(world) == [0, 1]  # the log ends before


def test_rows_that_were_read_long_before_the_last_batch_are_not_compared(world: World, land: Land, make_message):
    world.send(make_message())
    assert land(world) == 0
    change(world, "kafka_timestamp = timestamp_add(kafka_timestamp, interval 1 second)", 0, 0)
    now = datetime.now(UTC)
    assert replaced(world, now + timedelta(days=1)) == [0]
    assert replaced(world, now + timedelta(days=3)) == []


def test_the_time_of_the_last_committed_batch_is_that_of_its_planning(
    world: World, land: Land, make_message, spark: SparkSession
):
    assert last_batch_at(spark, world.settings) == datetime(1970, 1, 1, tzinfo=UTC)
    began = datetime.now(UTC) - timedelta(milliseconds=1)
    world.send(make_message())
    assert land(world) == 0
    [row] = world.rows("kafka_partition, kafka_offset, ingested_at")
    assert began <= last_batch_at(spark, world.settings) <= row["ingested_at"]


def replaced(world: World, *since: datetime) -> list[int]:
    topic = describe_topic(world.settings)
    return replaced_partitions(world.warehouse, topic.name, topic.topic_id, *since)


def change(world: World, what: str, partition: int, offset: int) -> None:
    """Change a landed row."""
    table = world.settings.table("raw", "survey_responses")
    world.warehouse.rows(f"update `{table}` set {what} where kafka_partition = {partition} and kafka_offset = {offset}")
