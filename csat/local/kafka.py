"""The local broker: one node of Apache Kafka in KRaft mode, without ZooKeeper and without Docker."""

import base64
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.local.jars import kafka_jars
from csat.local.java import find_java
from csat.local.secret_files import write_private

_LOGGING = Path(__file__).with_name("kafka_log4j2.properties")
RETAINED_BYTES = 4 * 1024**3  # of each partition: some ten million messages
_QUERY_MILLISECONDS = 2_000
_CREATE_MILLISECONDS = 15_000
_FORMAT_SECONDS = 120


def data_folder(settings: Settings) -> Path:
    """Where the broker stores its messages."""
    return settings.state / "kafka"


def properties(settings: Settings, changes: Mapping[str, object] | None = None) -> str:
    """Text of the broker's configuration: loopback only, no automatic topics; `changes` use Kafka's names."""
    broker, controller = (f"127.0.0.1:{port}" for port in (settings.kafka_port, settings.kafka_controller_port))
    listeners = f"PLAINTEXT://{broker},CONTROLLER://{controller}"
    values = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.bootstrap.servers": controller,
        "listeners": listeners,
        "advertised.listeners": listeners,
        "controller.listener.names": "CONTROLLER",
        "log.dirs": data_folder(settings),
        "auto.create.topics.enable": "false",
        # kafka_timestamp is "when Kafka received the message": a producer's clock must not decide what is in the future
        "log.message.timestamp.type": "LogAppendTime",
        # By size, not by time: a stack that is down for longer than a time limit would find its records deleted, and
        # the stream would stop until a person accepts the loss. Topics of earlier versions take these values too
        "log.retention.ms": -1,
        "log.retention.bytes": RETAINED_BYTES,
        "offsets.topic.num.partitions": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    }
    return "".join(f"{name}={value}\n" for name, value in {**values, **(changes or {})}.items())


def properties_file(settings: Settings) -> Path:
    """Path of the broker's configuration."""
    return settings.state / "kafka.properties"


def command(settings: Settings, *java_options: str) -> list[str]:
    """The broker's command line."""
    options = ["-Xmx512m", "-XX:+ExitOnOutOfMemoryError", f"-Dlog4j2.configurationFile={_LOGGING}", *java_options]
    return [*_java(settings), *options, "kafka.Kafka", str(properties_file(settings))]


def prepare(settings: Settings, changes: Mapping[str, object] | None = None) -> None:
    """Write the configuration and format the storage if it is new. Raises CsatError.

    `changes` override the stack's configuration, for a broker with TLS for example.
    """
    write_private(
        properties_file(settings), properties(settings, changes)
    )  # a broker's logins may be among the changes
    folder = data_folder(settings)
    if (folder / "meta.properties").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)  # left by an interrupted format: it never held a message
    cluster = "c" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]  # never a leading "-"
    arguments = ["format", "--standalone", "-t", cluster, "-c", str(properties_file(settings))]
    tool = [*_java(settings), f"-Dlog4j2.configurationFile={_LOGGING}", "kafka.tools.StorageTool", *arguments]
    done = subprocess.run(
        tool, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_FORMAT_SECONDS, check=False
    )
    if done.returncode != 0:
        raise CsatError(f"Kafka could not format its storage in {folder}: {done.stdout.strip()[-500:]}")


def is_ready(settings: Settings, servers: str = "") -> bool:
    """Whether the broker (empty: the local one) responds to a metadata request."""
    try:
        with _admin(settings, _QUERY_MILLISECONDS, servers) as admin:
            return bool(admin.describe_cluster()["brokers"])
    except (KafkaError, OSError):
        return False


def create_topic(settings: Settings, servers: str = "") -> None:
    """Create the topic if the broker (empty: the local one) lacks it; an existing one stays unchanged."""
    with _admin(settings, _CREATE_MILLISECONDS, servers) as admin:
        if settings.kafka_topic in admin.list_topics():
            return
        options = {"num_partitions": settings.kafka_partitions, "replication_factor": 1}
        try:
            admin.create_topics({settings.kafka_topic: options}, wait_for_metadata=True)
        except TopicAlreadyExistsError:
            return


def _java(settings: Settings) -> list[str]:
    return [str(find_java()), "-cp", f"{kafka_jars(settings.jars_dir)[0].parent}/*"]


@contextmanager
def _admin(settings: Settings, milliseconds: int, servers: str) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(
        bootstrap_servers=servers or f"127.0.0.1:{settings.kafka_port}",
        bootstrap_timeout_ms=milliseconds,
        request_timeout_ms=milliseconds,
    )
    try:
        yield admin
    finally:
        admin.close()
