"""Topics that nobody controls: created again, renamed, expired, compacted, written by transactions."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from csat.bigquery.tables import create_ops_tables
from csat.contract.errors import CsatError
from csat.control.checkpoint_topic import CheckpointTopic, read_topic, write_topic
from csat.control.state_files import StateFiles
from csat.kafka.topic_id import describe_topic
from csat.local import kafka
from csat.local.programs import KAFKA
from csat.local.supervisord import Supervisord
from csat.monitoring.completeness import check_completeness
from csat.monitoring.decisions import accept_loss, adopt, find_change, find_expired, find_shown, keep_shown
from spark.decision import DecisionNeededError
from spark.position import resume
from tests.integration.conftest import World, wait_for

pytestmark = pytest.mark.integration


@contextmanager
def admin_of(world: World) -> Iterator[KafkaAdminClient]:
    with closing(KafkaAdminClient(bootstrap_servers=world.settings.bootstrap_servers)) as admin:
        yield admin


def create(world: World, **configs: str) -> None:
    with admin_of(world) as admin:
        topic = NewTopic(world.settings.kafka_topic, num_partitions=2, replication_factor=1, topic_configs=configs)
        admin.create_topics([topic])


def delete(world: World) -> None:
    with admin_of(world) as admin:
        admin.delete_topics([world.settings.kafka_topic])
        wait_for(lambda: world.settings.kafka_topic not in admin.list_topics(), 30, "the topic is gone")


def recreate(world: World) -> None:
    delete(world)
    create(world)


def failure(world: World) -> tuple[str, str]:
    """The alert and the error of the last driver."""
    heartbeat = StateFiles(world.settings.state_files).heartbeat()
    return (heartbeat.alert, heartbeat.error) if heartbeat else ("", "")


def catch_up(world: World) -> int:
    return world.start_driver("--catch-up").exit_code()


def places(world: World) -> list[tuple[str, int, int]]:
    rows = world.rows("kafka_topic_id, kafka_partition, kafka_offset")
    return sorted((row["kafka_topic_id"], row["kafka_partition"], row["kafka_offset"]) for row in rows)


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
    now = datetime.now(UTC)
    adopt(world.settings, world.warehouse, find_change(world.settings, now), now)
    assert catch_up(world) == 0
    new = describe_topic(world.settings).topic_id
    assert places(world) == sorted([(old, 0, n) for n in range(5)] + [(new, 0, n) for n in range(8)])
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)
    with pytest.raises(CsatError, match="is the topic that the stream reads"):
        find_change(world.settings, now)


@pytest.mark.parametrize("damage", ["metadata", "offsets/1"])
def test_a_damaged_checkpoint_is_moved_away_and_the_query_starts_after_the_landed_rows(
    world: World, make_message, damage: str
):
    checkpoint = Path(world.settings.checkpoint)
    for _ in range(2):
        world.send(*[make_message() for _ in range(3)])
        assert catch_up(world) == 0
    last = sorted(checkpoint.glob("commits/[0-9]*"), key=lambda path: int(path.name))[-1]
    last.unlink()  # its batch landed: under another query id it would land again
    last.with_name(f".{last.name}.crc").unlink(missing_ok=True)
    path = checkpoint / damage
    path.write_text("")
    path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
    world.send(*[make_message() for _ in range(2)])
    assert catch_up(world) == 0
    assert world.offsets() == list(range(8))
    [moved] = checkpoint.parent.glob(f"{checkpoint.name}.damaged-*")
    assert (moved / damage).exists()
    topic = describe_topic(world.settings)
    assert read_topic(world.settings.checkpoint) == CheckpointTopic(topic.name, topic.topic_id, topic.cluster_id)


def test_a_checkpoint_of_another_cluster_stops_the_stream_until_the_topic_is_adopted(world: World, make_message):
    world.send(*[make_message() for _ in range(3)])
    assert catch_up(world) == 0
    here = describe_topic(world.settings)
    write_topic(world.settings.checkpoint, CheckpointTopic(here.name, here.topic_id, "the cluster before"))
    assert catch_up(world) == 1
    alert, error = failure(world)
    assert (alert, "the cluster before" in error) == ("topic_changed", True)
    now = datetime.now(UTC)
    adopt(world.settings, world.warehouse, find_change(world.settings, now), now)
    world.send(make_message())
    assert catch_up(world) == 0
    assert world.offsets() == list(range(4))


def test_a_driver_that_read_the_checkpoint_just_before_it_was_moved_away_does_not_use_it(world: World, make_message):
    name, old = world.settings.kafka_topic, describe_topic(world.settings)
    kept = CheckpointTopic(name, old.topic_id, old.cluster_id)
    recreate(world)
    world.send(*[make_message() for _ in range(8)])
    with pytest.raises(DecisionNeededError, match=old.topic_id):
        resume(world.settings, world.warehouse, kept, {name: {0: 5, 1: 0}})
    assert resume(world.settings, world.warehouse, None, {})[1] == {0: 0, 1: 0}


def test_a_topic_that_is_created_again_while_the_stream_runs_never_lands_under_the_old_id(world: World, make_message):
    world.send(*[make_message() for _ in range(5)])
    driver = world.start_driver()
    wait_for(lambda: len(world.offsets()) == 5, 120, "first batch", pause=1)
    old = describe_topic(world.settings).topic_id
    recreate(world)
    world.send(*[make_message() for _ in range(9)])
    assert driver.exit_code(120) == 1
    assert {place[0] for place in places(world)} == {old}
    assert catch_up(world) == 1
    assert failure(world)[0] == "topic_changed"


def test_another_topic_name_on_an_old_checkpoint_stops_the_stream(world: World, make_message):
    world.send(make_message())
    assert catch_up(world) == 0
    other = world.settings.model_copy(update={"kafka_topic": world.settings.kafka_topic + "-b"})
    elsewhere = World(other, world.warehouse)
    create(elsewhere)
    elsewhere.send(make_message())
    assert catch_up(elsewhere) == 1
    alert, error = failure(elsewhere)
    assert (alert, world.settings.kafka_topic in error) == ("topic_changed", True)


@contextmanager
def stopped_broker(world: World) -> Iterator[Path]:
    """The folder of the broker's logs; the broker is down inside, and up again after it."""
    supervisor = Supervisord(world.settings)
    supervisor.stop(KAFKA)
    yield kafka.data_folder(world.settings)
    kafka.prepare(world.settings)
    supervisor.start(KAFKA)
    wait_for(lambda: kafka.is_ready(world.settings), 60, "the broker is back")


def test_a_broker_that_comes_back_empty_stops_the_stream_until_its_topic_is_adopted(world: World, make_message):
    world.send(*[make_message() for _ in range(5)])
    assert catch_up(world) == 0
    old = describe_topic(world.settings)
    with stopped_broker(world) as logs:
        shutil.rmtree(logs)
    create(world)
    new = describe_topic(world.settings)
    assert (new.topic_id != old.topic_id, new.cluster_id != old.cluster_id) == (True, True)
    world.send(*[make_message() for _ in range(3)])
    assert catch_up(world) == 1
    alert, error = failure(world)
    assert (alert, old.cluster_id in error, "csat stream adopt-topic" in error) == ("topic_changed", True, True)
    now = datetime.now(UTC)
    adopt(world.settings, world.warehouse, find_change(world.settings, now), now)
    assert catch_up(world) == 0
    assert places(world) == sorted([(old.topic_id, 0, n) for n in range(5)] + [(new.topic_id, 0, n) for n in range(3)])
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)


def test_a_partition_that_comes_back_empty_stops_the_stream_until_its_records_are_in_a_new_topic(
    world: World, make_message
):
    world.send(*[make_message() for _ in range(5)])
    assert catch_up(world) == 0
    old = describe_topic(world.settings).topic_id
    with stopped_broker(world) as logs:
        shutil.rmtree(logs / f"{world.settings.kafka_topic}-0")
    assert describe_topic(world.settings).topic_id == old
    sent = [make_message(agent_id=f"agent-{number}") for number in range(3)]
    world.send(*sent)
    assert catch_up(world) == 1
    alert, error = failure(world)
    assert (alert, "its log was emptied" in error) == ("topic_changed", True)
    now = datetime.now(UTC)
    with pytest.raises(CsatError, match="delete the topic and create it again"):
        find_change(world.settings, now)
    copy = values(world)
    assert copy == sent
    recreate(world)
    world.send(*copy)
    adopt(world.settings, world.warehouse, find_change(world.settings, now), now)
    assert catch_up(world) == 0
    new = describe_topic(world.settings).topic_id
    assert places(world) == sorted([(old, 0, n) for n in range(5)] + [(new, 0, n) for n in range(3)])
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)


def values(world: World) -> list[bytes]:
    """The records that partition 0 has now."""
    place = TopicPartition(world.settings.kafka_topic, 0)
    with closing(KafkaConsumer(bootstrap_servers=world.settings.bootstrap_servers, group_id=None)) as consumer:
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        [end] = consumer.end_offsets([place]).values()
        found: list[bytes] = []
        while len(found) < end:
            found += [record.value for record in consumer.poll(timeout_ms=1_000).get(place, [])]
    return found


def expire(world: World, before: int) -> None:
    """Delete the records of partition 0 before that offset, as the retention does."""
    with admin_of(world) as admin:
        admin.delete_records({TopicPartition(world.settings.kafka_topic, 0): before})


@pytest.mark.parametrize("has_checkpoint", [True, False])
def test_records_that_expired_stop_the_stream_until_their_loss_is_accepted(
    world: World, make_message, has_checkpoint: bool
):
    world.send(*[make_message() for _ in range(5)])
    assert catch_up(world) == 0
    world.send(*[make_message() for _ in range(10)])
    expire(world, 9)
    if not has_checkpoint:
        Path(world.settings.checkpoint).rename(world.settings.checkpoint + "-lost")
    assert catch_up(world) == 1
    alert, error = failure(world)
    assert (alert, "partition 0: 5 to 8" in error, "csat stream accept-loss" in error) == (
        "records_expired",
        True,
        True,
    )
    assert check_completeness(world.warehouse).lost == 4
    now = datetime.now(UTC)
    gaps = find_expired(world.settings, world.warehouse, now)
    accept_loss(world.settings, world.warehouse, gaps, "a test", now)
    assert catch_up(world) == 0
    assert world.offsets() == [*range(5), *range(9, 15)]
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)


def test_only_the_loss_that_was_shown_is_accepted(world: World, make_message):
    settings, warehouse = world.settings, world.warehouse
    world.send(*[make_message() for _ in range(5)])
    assert catch_up(world) == 0
    world.send(*[make_message() for _ in range(10)])
    expire(world, 9)
    now = datetime.now(UTC)
    keep_shown(settings, find_expired(settings, warehouse, now), "run-1")
    expire(world, 12)  # while the person decides
    shown = find_shown(settings, find_expired(settings, warehouse, now), "run-1")
    assert [(gap.kafka_partition, gap.first_offset, gap.end_offset) for gap in shown] == [(0, 5, 9)]
    accept_loss(settings, warehouse, shown, "a test", now)
    assert catch_up(world) == 1
    alert, error = failure(world)
    assert (alert, "deleted 3 records" in error, "partition 0: 9 to 11" in error) == ("records_expired", True, True)
    rest = find_expired(settings, warehouse, now)
    with pytest.raises(CsatError, match=r"what was shown \(partition 0: 5 to 8 \(4\)\) no longer waits"):
        find_shown(settings, rest, "run-1")
    with pytest.raises(CsatError, match="no loss was shown as run-2"):
        find_shown(settings, rest, "run-2")
    accept_loss(settings, warehouse, rest, "a test", now)
    assert catch_up(world) == 0
    assert world.offsets() == [*range(5), *range(12, 15)]
    found = check_completeness(warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)


def test_only_committed_records_of_transactions_land_and_markers_are_not_lost(world: World, make_message):
    producer = KafkaProducer(bootstrap_servers=world.settings.bootstrap_servers, transactional_id="t1")
    topic = world.settings.kafka_topic
    with closing(producer):
        producer.init_transactions()
        for number in range(4):
            producer.begin_transaction()
            for _ in range(3):
                producer.send(topic, make_message(), partition=0)
            producer.flush()
            (producer.abort_transaction if number % 2 else producer.commit_transaction)()
    assert catch_up(world) == 0
    assert world.offsets() == [0, 1, 2, 8, 9, 10]
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated) == (0, 0)
    # And a record that is really missing is lost, between markers too
    table = world.settings.table("raw", "survey_responses")
    world.warehouse.rows(f"delete from `{table}` where kafka_offset = 9")
    assert check_completeness(world.warehouse).lost == 1


def test_a_compacted_topic_is_refused(world: World, make_message):
    delete(world)
    create(world, **{"cleanup.policy": "compact"})
    assert catch_up(world) == 1
    alert, error = failure(world)
    assert (alert, "cleanup.policy=compact" in error) == ("topic_changed", True)


def test_partitions_that_are_added_while_the_stream_runs_are_read_from_their_start(world: World, make_message):
    world.send(make_message())
    world.start_driver()
    wait_for(lambda: len(world.offsets()) == 1, 120, "first batch", pause=1)
    with admin_of(world) as admin:
        admin.create_partitions({world.settings.kafka_topic: 4})
    world.send(make_message(), make_message(), partition=3)
    wait_for(lambda: len(world.rows("kafka_partition, kafka_offset")) == 3, 120, "rows of the new partition", pause=1)
    assert check_completeness(world.warehouse).lost == 0


def test_headers_keys_tombstones_and_the_largest_messages_are_rows(world: World, make_message):
    limit = 1_048_588 - 200  # the broker's message.max.bytes, less the batch around the record
    remarks = limit - len(make_message(customer_remarks="")) - 100
    with closing(
        KafkaProducer(bootstrap_servers=world.settings.bootstrap_servers, max_request_size=2 * limit)
    ) as producer:
        topic = world.settings.kafka_topic
        sent = [
            producer.send(topic, make_message(), key=b"a key", headers=[("h", b"v")], partition=0),
            producer.send(topic, None, key=b"a tombstone", partition=0),
            producer.send(topic, make_message(customer_remarks="x" * remarks), partition=0),
        ]
        for future in sent:
            future.get(30)
    assert catch_up(world) == 0
    rows = world.rows("rejection_reason, length(customer_remarks) as size, kafka_partition, kafka_offset")
    found = [(row["rejection_reason"], row["size"]) for row in rows]
    assert found == [(None, None), ("empty message", None), (None, remarks)]
    assert check_completeness(world.warehouse).is_complete


def test_the_topic_is_kept_beside_the_checkpoint(world: World, make_message):
    world.send(make_message())
    assert catch_up(world) == 0
    topic = describe_topic(world.settings)
    kept = json.loads((Path(world.settings.checkpoint) / "csat_topic.json").read_text())
    assert kept == {"name": topic.name, "topic_id": topic.topic_id, "cluster_id": topic.cluster_id}
