"""What happens to a topic, done to a real one: created again, emptied, expired; and the runbook's commands after it."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from csat.contract.settings import ROOT, environment
from csat.control.state_files import StateFiles
from csat.local import kafka
from csat.local.programs import KAFKA
from csat.local.supervisord import Supervisord
from tests.documents import section
from tests.integration.conftest import World, wait_for

RUNBOOK = Path("docs/runbook.md")


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
    """Land what the topic has by a driver of its own process; the code with which it exits."""
    return world.start_driver("--catch-up").exit_code()


def staged_files(world: World) -> set[Path]:
    """The files of all worlds: drivers that were killed left some."""
    return set((world.settings.staging_root / "csat-staging").rglob("*.parquet"))


def places(world: World) -> list[tuple[str, int, int]]:
    rows = world.rows("kafka_topic_id, kafka_partition, kafka_offset")
    return sorted((row["kafka_topic_id"], row["kafka_partition"], row["kafka_offset"]) for row in rows)


@contextmanager
def stopped_broker(world: World) -> Iterator[Path]:
    """The folder of the broker's logs; the broker is down inside, and up again after it."""
    supervisor = Supervisord(world.settings)
    supervisor.stop(KAFKA)
    yield kafka.data_folder(world.settings)
    kafka.prepare(world.settings)
    supervisor.start(KAFKA)
    wait_for(lambda: kafka.is_ready(world.settings), 60, "the broker is back")


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


def abort(world: World, *messages: bytes) -> None:
    """Put the messages of an aborted transaction into partition 0."""
    with closing(KafkaProducer(bootstrap_servers=world.settings.bootstrap_servers, transactional_id="a")) as producer:
        producer.init_transactions()
        producer.begin_transaction()
        for message in messages:
            producer.send(world.settings.kafka_topic, message, partition=0)
        producer.flush()
        producer.abort_transaction()


def expire(world: World, before: int, partition: int = 0) -> None:
    """Delete the records of the partition before that offset, as the retention does."""
    with admin_of(world) as admin:
        admin.delete_records({TopicPartition(world.settings.kafka_topic, partition): before})


def empty(logs: Path) -> None:
    """Delete all that the stopped broker has."""
    shutil.rmtree(logs)


def follow_runbook(
    world: World,
    alert: str,
    block: int = 0,
    placeholders: Mapping[str, str] = MappingProxyType({}),
    before: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Run a block of commands of the alert's section word for word, answering yes; returns what they print.

    The placeholder `broker.example.com:9092` becomes the test's broker. `before` is what the environment had.
    """
    commands = section(RUNBOOK, f"## {alert}")[block].text
    for placeholder, value in {"broker.example.com:9092": world.settings.bootstrap_servers, **placeholders}.items():
        commands = commands.replace(placeholder, value)
    variables = {**world.settings.as_environment(), **before}
    done = subprocess.run(
        ["sh", "-ec", commands],
        input="y\n" * commands.count("csat "),
        env=environment(**variables, PATH=f"{ROOT / '.venv' / 'bin'}:{environment()['PATH']}"),
        cwd=world.settings.state,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
