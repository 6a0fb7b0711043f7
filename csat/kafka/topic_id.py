"""Which topic it is: a topic that was deleted and created again has the old name, other records, and another id."""

from contextlib import closing
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, for_code

from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.kafka.login import open_admin
from csat.kafka.offsets import printed_id


@dataclass(frozen=True)
class Topic:
    """A topic's name, Kafka's id of it (as kafka-topics.sh prints it), and its cluster's id."""

    name: str
    topic_id: str
    cluster_id: str


def describe_topic(settings: Settings) -> Topic:
    """The topic that the settings name, now. Raises KafkaAccessError."""
    name = settings.kafka_topic
    try:
        with closing(open_admin(settings)) as admin:
            topic_id = id_of_topic(admin, name)
            cluster = admin.describe_cluster()
    except (KafkaError, OSError) as error:
        raise KafkaAccessError(
            f"Kafka at {settings.bootstrap_servers} does not describe the topic {name} ({error}): correct "
            "CSAT_KAFKA_TOPIC, or create the topic"
        ) from error
    return Topic(name, topic_id, str(cluster["cluster_id"]))


def id_of_topic(admin: KafkaAdminClient, name: str) -> str:
    """Kafka's id of the topic, as kafka-topics.sh prints it. Raises KafkaError."""
    [found] = admin.describe_topics([name])
    if found["error_code"]:
        raise for_code(found["error_code"])
    return printed_id(found["topic_id"])
