"""Every message is one landing row, whatever is killed and whenever."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from kafka import KafkaProducer

from csat.control.state_files import StateFiles
from csat.control.verdict import DesiredState, Heartbeat, State
from csat.kafka.records import records_at
from csat.kafka.topic_id import describe_topic
from spark.load_jobs import BigQueryLoadJobs
from tests.integration.conftest import Driver, World, wait_for
from tests.integration.stream.conftest import Land
from tests.integration.stream.topics import staged_files

pytestmark = pytest.mark.integration

CRASHING = (str(Path(__file__).with_name("crashing_driver.py")),)
HELD = (str(Path(__file__).with_name("held_driver.py")),)
NASTY = "'\"\\\0\x1f\x7f\u2028\u202e\ufeff\n\t{}[],<script>%s'; drop table -- Ω田中👩🏽‍❤️‍💋‍👨🏿 e\u0301"
# The time of a heartbeat with its Kafka request and the current batch, while a second driver starts on the same cores
LEAVING = timedelta(seconds=5)


def heartbeat(state_files: StateFiles) -> Heartbeat:
    found = state_files.heartbeat()
    assert found is not None
    return found


def desired_state(state_files: StateFiles) -> DesiredState:
    found = state_files.desired_state()
    assert found is not None
    return found


def test_catch_up_lands_what_is_there_with_its_place_in_bounded_batches(world: World, land: Land, make_message):
    staged = staged_files(world)
    world.send(make_message(csat_score=4, customer_remarks=NASTY), b"\xff", b"")
    world.send(make_message(csat_score=9), partition=1)
    bounded = world.settings.model_copy(update={"max_offsets_per_trigger": 2})
    assert land(World(bounded, world.warehouse)) == 0
    rows = world.rows("kafka_topic, kafka_partition, kafka_offset, csat_score, rejection_reason, payload")
    topic = world.settings.kafka_topic
    assert [tuple(row.values()) for row in rows] == [
        (topic, 0, 0, 4, None, None),
        (topic, 0, 1, None, "not UTF-8", b"\xff"),
        (topic, 0, 2, None, "empty message", b""),
        (topic, 1, 0, None, "csat_score out of range", make_message(csat_score=9)),
    ]
    assert {row["kafka_topic_id"] for row in world.rows("kafka_topic_id, kafka_partition, kafka_offset")} == {
        describe_topic(world.settings).topic_id
    }
    assert world.rows("customer_remarks, kafka_partition, kafka_offset")[0]["customer_remarks"] == NASTY
    batches = [row["batch_id"] for row in world.rows("batch_id, kafka_partition, kafka_offset")]
    assert max(batches.count(batch) for batch in batches) == 2
    assert staged_files(world) == staged


def test_stream_lands_a_batch_once_when_it_is_killed_at_every_step(world: World, make_message):
    world.send(*[make_message() for _ in range(20)])
    for step in ("before_stage", "before_submit", "after_submit", "after_load"):
        crashed = world.start_driver(step, "--catch-up", program=CRASHING)
        assert crashed.exit_code() == -signal.SIGKILL, step
        crashed.end()
        assert world.offsets() in ([], list(range(20))), step
    world.send(*[make_message() for _ in range(5)])
    last = world.start_driver("--catch-up")
    assert last.exit_code() == 0
    assert world.offsets() == list(range(25))
    # What the killed ones left is gone
    assert [folder.name for folder in temporary_folders(world)] == [str(last.process.pid)]


def test_held_batch_is_left_to_the_next_driver_when_a_stop_is_requested(world: World, land: Land, make_message):
    state_files = StateFiles(world.settings.state_files)
    world.send(*[make_message() for _ in range(3)])
    held = world.start_driver(program=HELD)
    held_until: datetime = wait_for(lambda: getattr(state_files.heartbeat(), "held_until", None), 90, "hold")
    assert held_until - datetime.now(UTC) > timedelta(hours=23)
    [folder] = temporary_folders(world)
    assert list(folder.iterdir())
    held.process.send_signal(signal.SIGTERM)
    assert held.exit_code(30) == 0
    assert (heartbeat(state_files).state, world.offsets()) == (State.STOPPED, [])
    assert land(world) == 0
    assert world.offsets() == [0, 1, 2]


def test_stream_lands_a_batch_once_when_its_commit_is_lost(world: World, land: Land, make_message):
    world.send(*[make_message() for _ in range(20)])
    assert land(world) == 0
    commits = Path(world.settings.checkpoint) / "commits"
    [commit] = [file for file in commits.iterdir() if file.name.isdigit()]
    commit.unlink()
    (commits / f".{commit.name}.crc").unlink(missing_ok=True)
    world.send(*[make_message() for _ in range(5)])
    again = world.start_driver("--catch-up")
    assert again.exit_code() == 0
    assert world.offsets() == list(range(25))
    assert "Landed 20 rows" in again.log.read_text()  # the replay found its job


def test_stream_begins_behind_the_landed_rows_when_the_checkpoint_is_lost(world: World, land: Land, make_message):
    world.send(*[make_message() for _ in range(20)])
    assert land(world) == 0
    world.send(*[make_message() for _ in range(5)])
    world.send(make_message(), partition=1)
    elsewhere = world.settings.model_copy(update={"checkpoint_uri": world.settings.checkpoint + "-new"})
    assert land(World(elsewhere, world.warehouse)) == 0
    rows = world.rows("kafka_partition, kafka_offset")
    assert [tuple(row.values()) for row in rows] == [(0, offset) for offset in range(25)] + [(1, 0)]


def test_stream_without_a_checkpoint_begins_behind_the_rows_of_a_pending_load_job(
    world: World, land_here: Land, make_message, monkeypatch: pytest.MonkeyPatch
):
    world.send(*[make_message() for _ in range(3)])
    assert land_here(world) == 0
    world.send(make_message(), make_message())

    @cache
    def end_job(offset: int) -> None:
        land_row(world, offset)

    monkeypatch.setattr(BigQueryLoadJobs, "wait_for_pending", lambda _: end_job(3))
    elsewhere = world.settings.model_copy(update={"checkpoint_uri": world.settings.checkpoint + "-new"})
    assert land_here(World(elsewhere, world.warehouse)) == 0
    end_job(3)  # if nobody waited for it, it ends all the same
    assert world.offsets() == list(range(5))


def land_row(world: World, offset: int) -> None:
    """Land a record of partition 0 as a load job of an earlier driver does."""
    topic = describe_topic(world.settings)
    record = records_at(world.settings, topic.name, topic.topic_id, {0: offset})[0]
    assert record is not None
    table = world.settings.table("raw", "survey_responses")
    world.warehouse.rows(
        f"insert into `{table}` (kafka_topic, kafka_topic_id, kafka_partition, kafka_offset, kafka_timestamp, "
        f"ingested_at, batch_id) select '{topic.name}', '{topic.topic_id}', 0, {offset}, "
        f"timestamp_millis({record.timestamp}), current_timestamp(), 'earlier-0'"
    )


def test_older_driver_exits_within_a_heartbeat_and_writes_nothing_once_a_second_has(world: World, make_message):
    state_files = StateFiles(world.settings.state_files)
    with answers(world, make_message) as sent:
        first = world.start_driver()
        wait_for(world.offsets, 90, "first row", pause=1)
        token = desired_state(state_files).token
        second = world.start_driver()
        wait_for(lambda: desired_state(state_files).token != token, 60, "new token")
        assert first.exit_code(30) == 75
        wait_for(lambda: times(second, "Landed"), 60, "first batch of the second")
    wait_for(lambda: len(world.offsets()) >= len(sent), 60, "all rows", pause=1)
    assert heartbeat(state_files).token == desired_state(state_files).token
    second.process.send_signal(signal.SIGTERM)
    assert second.exit_code(60) == 0
    assert heartbeat(state_files).state is State.STOPPED
    assert world.offsets() == list(range(len(sent)))
    [left_at] = times(first, "Exiting with code 75")
    interval = timedelta(seconds=world.settings.heartbeat_interval)
    assert left_at - desired_state(state_files).at < interval + LEAVING
    assert max(times(first, "Landed")) < min(times(second, "Landed"))


def test_driver_names_the_command_when_the_connector_is_missing(world: World, tmp_path):
    settings = world.settings.model_copy(update={"jars_dir": tmp_path / "nowhere"})
    driver = World(settings, world.warehouse).start_driver("--catch-up")
    assert driver.exit_code(30) == 1
    assert "run `make setup`, or correct CSAT_JARS_DIR" in driver.log.read_text()
    assert subprocess.run(["pgrep", "-g", str(driver.process.pid)], check=False, capture_output=True).stdout == b""


@contextmanager
def answers(world: World, make_message) -> Iterator[list[bytes]]:
    """Five answers a second while it is open; what was sent."""
    end, sent = threading.Event(), []
    producer = KafkaProducer(bootstrap_servers=world.settings.bootstrap_servers)

    def send() -> None:
        while not end.wait(0.2):
            producer.send(world.settings.kafka_topic, make_message(), partition=0).get(timeout=30)
            sent.append(make_message())

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield sent
    finally:
        end.set()
        sender.join()
        producer.close()


def temporary_folders(world: World) -> list[Path]:
    return list((world.settings.state / "stream" / "tmp").iterdir())


def times(driver: Driver, words: str) -> list[datetime]:
    """When the driver logged these words."""
    lines = [line for line in driver.log.read_text().splitlines() if words in line]
    return [datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").astimezone() for line in lines]
