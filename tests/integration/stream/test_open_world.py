"""Topics as others write them: transactions, compaction, more partitions, odd records; and a damaged checkpoint."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaProducer

from csat.bigquery.tables import create_ops_tables
from csat.control.checkpoint_topic import CheckpointTopic, read_topic
from csat.kafka.topic_id import describe_topic
from csat.monitoring.completeness import check_completeness
from tests.integration.conftest import World, wait_for
from tests.integration.stream.conftest import Land
from tests.integration.stream.topics import admin_of, create, delete, expire, failure, follow_runbook, recreate

pytestmark = pytest.mark.integration


@pytest.fixture
def world(world: World) -> World:
    create_ops_tables(world.warehouse)
    return world


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        ("metadata", None),
        ("metadata", ""),
        ("offsets/1", 'v1\n{"batchWatermarkMs'),
        ("csat_topic.json", ""),
        *(
            pytest.param(*each, marks=pytest.mark.long)
            for each in [("metadata", "\0" * 45), ("offsets/1", ""), ("commits/1", ""), ("sources/0/0", "v1\n")]
        ),
    ],
)
def test_a_damaged_checkpoint_is_moved_away_and_the_query_starts_after_the_landed_rows(
    world: World, land: Land, make_message, damage: str, text: str | None
):
    checkpoint = Path(world.settings.checkpoint)
    for _ in range(2):
        world.send(*[make_message() for _ in range(3)])
        assert land(world) == 0
    if damage != "commits/1":  # its batch landed: under another query id it would land again
        (checkpoint / "commits" / "1").unlink()
        (checkpoint / "commits" / ".1.crc").unlink(missing_ok=True)
    damage_file(checkpoint / damage, text)
    world.send(*[make_message() for _ in range(2)])
    assert land(world) == 0
    assert world.offsets() == list(range(8))
    follow_runbook(world, "state_files_unreadable")  # fails if anything is lost
    [moved] = checkpoint.parent.glob(f"{checkpoint.name}.damaged-*")
    assert (moved / damage).exists() is (text is not None)
    topic = describe_topic(world.settings)
    assert read_topic(world.settings.checkpoint) == CheckpointTopic(topic.name, topic.topic_id, topic.cluster_id)


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        ("offsets/0", None),
        pytest.param("offsets/0", "", marks=pytest.mark.long),
        pytest.param("offsets/1", '\0\0\n{}\n{"messages":{"0":6}}', marks=pytest.mark.long),
    ],
)
def test_a_checkpoint_whose_last_batches_are_damaged_is_moved_away(
    world: World, land: Land, make_message, damage: str, text: str | None
):
    for _ in range(2):
        world.send(*[make_message() for _ in range(3)])
        assert land(world) == 0
    damage_file(Path(world.settings.checkpoint) / damage, text)
    world.send(make_message())
    assert land(world) == 0
    assert world.offsets() == list(range(7))


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        ("metadata", "\0" * 45),
        pytest.param("metadata", "", marks=pytest.mark.long),
        pytest.param("sources/0/0", "", marks=pytest.mark.long),
        pytest.param("sources/0/0", 'v1\n{"mess', marks=pytest.mark.long),
    ],
)
def test_a_checkpoint_that_is_damaged_before_its_first_batch_is_moved_away(
    world: World, land: Land, make_message, damage: str, text: str
):
    assert land(world) == 0
    checkpoint = Path(world.settings.checkpoint)
    for folder in ("offsets", "commits"):
        shutil.rmtree(checkpoint / folder, ignore_errors=True)
    damage_file(checkpoint / damage, text)
    world.send(make_message(), make_message())
    assert land(world) == 0
    assert world.offsets() == [0, 1]


def damage_file(path: Path, text: str | None) -> None:
    """Write that into a file of the checkpoint, or delete it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True) if text is None else path.write_text(text)
    path.with_name(f".{path.name}.crc").unlink(missing_ok=True)


def test_only_committed_records_of_transactions_land_and_markers_are_not_lost(world: World, land: Land, make_message):
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
    assert land(world) == 0
    assert world.offsets() == [0, 1, 2, 8, 9, 10]
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated) == (0, 0)
    # And a record that is really missing is lost, between markers too
    table = world.settings.table("raw", "survey_responses")
    world.warehouse.rows(f"delete from `{table}` where kafka_offset = 9")
    assert check_completeness(world.warehouse).lost == 1
    # Once Kafka has deleted the markers, nobody can distinguish them from records
    expire(world, 9)
    found = check_completeness(world.warehouse)
    assert (found.lost, found.unverifiable) == (1, 5)
    expire(world, 16)  # what the stream has read past after its last row, too
    found = check_completeness(world.warehouse)
    assert (found.lost, found.unverifiable) == (0, 11)
    recreate(world)
    found = check_completeness(world.warehouse)
    assert (found.lost, found.unverifiable, found.is_complete) == (0, 6, True)


def test_a_compacted_topic_is_refused(world: World, land: Land, make_message):
    delete(world)
    create(world, **{"cleanup.policy": "compact"})
    assert land(world) == 1
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


def test_headers_keys_tombstones_and_the_largest_messages_are_rows(world: World, land: Land, make_message):
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
    assert land(world) == 0
    rows = world.rows("rejection_reason, length(customer_remarks) as size, kafka_partition, kafka_offset")
    found = [(row["rejection_reason"], row["size"]) for row in rows]
    assert found == [(None, None), ("empty message", None), (None, remarks)]
    assert check_completeness(world.warehouse).is_complete


def test_the_topic_and_the_first_offsets_are_kept_beside_the_checkpoint(world: World, land: Land, make_message):
    world.send(make_message())
    assert land(world) == 0
    topic = describe_topic(world.settings)
    kept = json.loads((Path(world.settings.checkpoint) / "csat_topic.json").read_text())
    names = {"name": topic.name, "topic_id": topic.topic_id, "cluster_id": topic.cluster_id}
    assert kept == names | {"first_offsets": {"0": 0, "1": 0}}
