"""The topic's configuration: whose clock a record's time is, and how long Kafka keeps a record."""

from contextlib import closing
from dataclasses import dataclass

from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.kafka.login import open_admin

# With the producer's clock as the record time, that clock decides which responses are of the future and when Kafka
# deletes them. Compaction deletes all but the last response of an agent, who is the key.
_TIMESTAMP_TYPE, _CLEANUP_POLICY = "message.timestamp.type", "cleanup.policy"
_WANTED = {_TIMESTAMP_TYPE: "LogAppendTime", _CLEANUP_POLICY: "delete"}
_RETENTION = ("retention.ms", "retention.bytes")
_AHEAD = "message.timestamp.after.max.ms"
_MAX_AHEAD_MS = 9 * 10**15  # Spark counts microseconds in 64 bits: a record time in nanoseconds fails the stream


@dataclass(frozen=True)
class TopicFacts:
    """The configuration that matters here; -1 means that Kafka keeps records without limit."""

    timestamp_type: str
    cleanup_policy: str
    retention_ms: int
    retention_bytes: int = -1  # of each partition
    max_ahead_ms: int | None = None  # how far a producer's clock may be ahead of Kafka's; None: Kafka has no limit

    @property
    def problems(self) -> list[str]:
        """What must be changed, one text each."""
        is_producers = self.timestamp_type != _WANTED[_TIMESTAMP_TYPE]
        problems = [_problem(_TIMESTAMP_TYPE, self.timestamp_type)] if is_producers else []
        if is_producers and (self.max_ahead_ms is None or self.max_ahead_ms > _MAX_AHEAD_MS):
            problems.append(f"{_AHEAD} is not limited: one record time in nanoseconds stops the stream")
        is_compacted = "compact" in self.cleanup_policy.split(",")
        return [*problems, _problem(_CLEANUP_POLICY, self.cleanup_policy)] if is_compacted else problems

    @property
    def retention(self) -> str:
        """How long Kafka keeps a record."""
        limits = [f"{self.retention_ms / 3_600_000:g} h"] if self.retention_ms >= 0 else []
        limits += [f"{self.retention_bytes:,} bytes per partition"] if self.retention_bytes >= 0 else []
        return f"Kafka keeps messages: {', '.join(limits) or 'without limit'}"


def _problem(name: str, value: str) -> str:
    return f"{name} is {value}, not {_WANTED[name]}"


def topic_facts(settings: Settings) -> TopicFacts | None:
    """The topic's configuration; None if there is no such topic, or this login may not read it.

    Raises KafkaAccessError, each of its two steps within 10 s.
    """
    resource = ConfigResource(ConfigResourceType.TOPIC, settings.kafka_topic, [*_WANTED, *_RETENTION, _AHEAD])
    try:
        with closing(open_admin(settings)) as admin:
            found = admin.describe_configs([resource], config_filter="all").get("topic", {})
    except (KafkaError, OSError) as error:
        raise KafkaAccessError(
            f"Kafka at {settings.bootstrap_servers} did not return the topic's configuration: {error}"
        ) from error
    values = {name: config["value"] for name, config in found.get(settings.kafka_topic, {}).items()}
    if not values.keys() >= _WANTED.keys():  # kafka-python drops the error that a broker gives for one topic
        return None
    retention_ms, retention_bytes = (int(values.get(name, -1)) for name in _RETENTION)
    ahead = int(values[_AHEAD]) if _AHEAD in values else None
    return TopicFacts(values[_TIMESTAMP_TYPE], values[_CLEANUP_POLICY], retention_ms, retention_bytes, ahead)


def unreadable(settings: Settings) -> str:
    """Why there is no configuration."""
    return f"not checked: no topic {settings.kafka_topic}, or its configuration needs the permission DESCRIBE_CONFIGS"


def fix(settings: Settings) -> str:
    """The command that corrects the topic."""
    wanted = ",".join(f"{name}={value}" for name, value in _WANTED.items())
    return (
        f"kafka-configs.sh --bootstrap-server {settings.bootstrap_servers} --alter --entity-type topics "
        f"--entity-name {settings.kafka_topic} --add-config {wanted}"
    )
