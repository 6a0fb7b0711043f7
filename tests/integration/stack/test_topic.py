"""The topic's configuration, read from a real broker and corrected by the runbook's command."""

import subprocess

from kafka.admin import KafkaAdminClient, NewTopic

from csat.contract.settings import Settings
from csat.kafka.topic import TopicFacts, fix, topic_facts
from csat.local.jars import kafka_jars
from csat.local.java import find_java

BY_PRODUCER = {"message.timestamp.type": "CreateTime", "cleanup.policy": "compact,delete", "retention.ms": "3600000"}


def create(settings: Settings, **configs: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    admin.create_topics([NewTopic(settings.kafka_topic, 1, 1, topic_configs=configs)], wait_for_metadata=True)
    admin.close()


def test_topic_gets_kafkas_clock_from_the_brokers_configuration(services: Settings) -> None:
    settings = services.model_copy(update={"kafka_topic": "plain"})
    create(settings)
    assert topic_facts(settings) == TopicFacts("LogAppendTime", "delete", retention_ms=7 * 24 * 3_600_000)


def test_command_of_the_runbook_corrects_the_topic(services: Settings) -> None:
    settings = services.model_copy(update={"kafka_topic": "by-producer"})
    create(settings, **BY_PRODUCER)
    found = topic_facts(settings)
    assert found == TopicFacts("CreateTime", "compact,delete", retention_ms=3_600_000)
    assert len(found.problems) == 2
    _, *options = fix(settings).split()
    tool = [str(find_java()), "-cp", f"{kafka_jars(settings.jars_dir)[0].parent}/*", "kafka.admin.ConfigCommand"]
    subprocess.run([*tool, *options], capture_output=True, timeout=60, check=True)
    assert topic_facts(settings) == TopicFacts("LogAppendTime", "delete", retention_ms=3_600_000)


def test_topic_that_does_not_exist_has_no_configuration(services: Settings) -> None:
    assert topic_facts(services.model_copy(update={"kafka_topic": "nowhere"})) is None
