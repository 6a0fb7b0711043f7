"""The Kafka client: its configuration from the settings, and its errors."""

from collections.abc import Callable
from typing import Any, Protocol

from kafka.errors import KafkaError, KafkaTimeoutError

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.kafka.first_contact import first_contact
from csat.kafka.login import connection_options

CONNECT_TIMEOUT_SECONDS = 15.0
REQUEST_TIMEOUT_SECONDS = 15.0
# Before compression: the broker itself decides what it accepts. A rejected message that came compressed is sent again
MAX_REQUEST_BYTES = 20 * 1024 * 1024
DELIVERY_TIMEOUT_SECONDS = 120.0  # how long a broker may be unavailable: Kafka's own default


class DeliveryError(CsatError):
    """The broker did not accept a message."""


class ProducerClient(Protocol):
    """The used part of kafka-python's producer."""

    _closed: bool

    def partitions_for(self, topic: str) -> Any:
        """The topic's partitions."""

    def send(self, topic: str, *, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> Any:
        """A future of the delivery."""

    def flush(self, timeout: float) -> None:
        """Wait until every message is delivered or has failed."""

    def close(self, timeout: float) -> None:
        """Release threads and connections."""


CreateClient = Callable[..., ProducerClient]


def connected(settings: Settings, create_client: CreateClient) -> ProducerClient:
    """A client that is connected to a broker and knows the topic. Raises CsatError."""
    client = _created(settings, create_client)
    topic = settings.kafka_topic
    try:
        client.partitions_for(topic)
    except KafkaError as error:
        close(client, timeout_seconds=0)
        raise CsatError(
            f"The topic {topic!r} does not exist at {settings.bootstrap_servers}, or the user may not see it "
            f"({error}). Create it, or set CSAT_KAFKA_TOPIC."
        ) from error
    except BaseException:
        close(client, timeout_seconds=0)
        raise
    return client


def close(client: ProducerClient, timeout_seconds: float) -> None:
    """Release the client's threads and connections; undelivered messages are dropped."""
    try:
        client.close(timeout=timeout_seconds)
    except KafkaTimeoutError:
        # It flushes on close, gives up halfway, and would retry and warn when it is garbage-collected.
        client._closed = True


def _created(settings: Settings, create_client: CreateClient) -> ProducerClient:
    with first_contact(settings):
        return create_client(**client_config(settings))


def client_config(settings: Settings) -> dict[str, Any]:
    """kafka-python's configuration."""
    config: dict[str, Any] = {
        "client_id": "csat-producer",
        "acks": "all",
        "enable_idempotence": True,
        "allow_auto_create_topics": False,
        "bootstrap_timeout_ms": int(CONNECT_TIMEOUT_SECONDS * 1000),
        "max_block_ms": int(CONNECT_TIMEOUT_SECONDS * 1000),
        "request_timeout_ms": int(REQUEST_TIMEOUT_SECONDS * 1000),
        "delivery_timeout_ms": int(DELIVERY_TIMEOUT_SECONDS * 1000),
        "reconnect_backoff_max_ms": 1_000,
        "linger_ms": 5,
        "batch_size": 128 * 1024,
        "compression_type": "gzip",
        "max_request_size": MAX_REQUEST_BYTES,
    }
    return config | connection_options(settings)
