"""The topic's configuration, read from a real broker and corrected by the runbook's command."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

from csat.contract.settings import Settings
from csat.kafka.offsets import kafka_offsets
from csat.kafka.topic import TopicFacts, fix, topic_facts
from csat.local import kafka
from csat.local.jars import kafka_jars
from csat.local.java import find_java
from csat.local.ports import free_ports
from tests.integration.conftest import wait_for

MAX_BYTES = 4 * 1024**3  # of a partition, as the broker is configured
HOUR_MS = 3_600_000  # Kafka 4's limit on how far a record time may be ahead
BY_PRODUCER = {"message.timestamp.type": "CreateTime", "cleanup.policy": "compact,delete", "retention.ms": "3600000"}


def create(settings: Settings, **configs: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    admin.create_topics([NewTopic(settings.kafka_topic, 1, 1, topic_configs=configs)], wait_for_metadata=True)
    admin.close()


def end_offset(settings: Settings) -> int:
    [offsets] = kafka_offsets(settings, [settings.kafka_topic]).values()
    return offsets.end


def test_topic_gets_kafkas_clock_and_retention_by_size_from_the_brokers_configuration(services: Settings) -> None:
    settings = services.model_copy(update={"kafka_topic": "plain"})
    create(settings)
    assert topic_facts(settings) == TopicFacts(
        "LogAppendTime", "delete", retention_ms=-1, retention_bytes=MAX_BYTES, max_ahead_ms=HOUR_MS
    )


def test_command_of_the_runbook_corrects_the_topic(services: Settings) -> None:
    settings = services.model_copy(update={"kafka_topic": "by-producer"})
    create(settings, **BY_PRODUCER)
    found = topic_facts(settings)
    assert found == TopicFacts(
        "CreateTime", "compact,delete", retention_ms=3_600_000, retention_bytes=MAX_BYTES, max_ahead_ms=HOUR_MS
    )
    assert len(found.problems) == 2
    _, *options = fix(settings).split()
    tool = [str(find_java()), "-cp", f"{kafka_jars(settings.jars_dir)[0].parent}/*", "kafka.admin.ConfigCommand"]
    subprocess.run([*tool, *options], capture_output=True, timeout=60, check=True)
    assert topic_facts(settings) == TopicFacts(
        "LogAppendTime", "delete", retention_ms=3_600_000, retention_bytes=MAX_BYTES, max_ahead_ms=HOUR_MS
    )


def test_topic_that_does_not_exist_has_no_configuration(services: Settings) -> None:
    assert topic_facts(services.model_copy(update={"kafka_topic": "nowhere"})) is None


MONTH_SECONDS = 30 * 24 * 3600
# Kafka checks every five minutes for what it may delete
AT_ONCE = {"log.retention.check.interval.ms": 200, "log.initial.task.delay.ms": 100}


@contextmanager
def broker(folder: Path, changes: dict[str, int]) -> Iterator[Settings]:
    """A broker of the local stack with these changes."""
    settings = Settings(state_dir=folder, _env_file=None, **free_ports())
    kafka.prepare(settings, changes)
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen(kafka.command(settings), stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(lambda: kafka.is_ready(settings), 90, "broker")
        yield settings
    finally:
        process.kill()
        process.wait(30)


def send_old(settings: Settings) -> None:
    """Send one record that is a month old to the topic."""
    with closing(KafkaProducer(bootstrap_servers=settings.bootstrap_servers)) as producer:
        timestamp = int((time.time() - MONTH_SECONDS) * 1000)
        producer.send(settings.kafka_topic, b"old", timestamp_ms=timestamp).get(timeout=30)


def first_offset(settings: Settings) -> int:
    [offsets] = kafka_offsets(settings, [settings.kafka_topic]).values()
    return offsets.start


def test_records_of_a_month_ago_are_kept_in_a_topic_without_a_limit_of_its_own(tmp_path: Path) -> None:
    with broker(tmp_path, AT_ONCE) as running:
        kept, limited = (running.model_copy(update={"kafka_topic": name}) for name in ("kept", "limited"))
        create(kept, **{"message.timestamp.type": "CreateTime"})
        create(limited, **{"message.timestamp.type": "CreateTime", "retention.ms": "604800000"})
        send_old(kept)
        send_old(limited)
        wait_for(lambda: first_offset(limited) == 1, 60, "deletion by time")
        time.sleep(1)  # some more checks
        assert first_offset(kept) == 0


def test_records_of_an_open_transaction_are_beyond_the_end(tmp_path: Path) -> None:
    with broker(tmp_path, {}) as running:
        create(running)
        with closing(KafkaProducer(bootstrap_servers=running.bootstrap_servers, transactional_id="open")) as producer:
            producer.init_transactions()
            producer.begin_transaction()
            for _ in range(3):
                producer.send(running.kafka_topic, b"record")
            producer.flush()
            assert end_offset(running) == 0
            producer.commit_transaction()
            wait_for(lambda: end_offset(running) == 4, 30, "three records and the marker")
