"""The Kafka client: its configuration from the settings, and what can go wrong between the two."""

import logging
from collections.abc import Callable
from typing import Any, Protocol, Self

from kafka.errors import (
    KafkaConfigurationError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
)

from csat.kafka_login import connection_options
from csat.settings import Settings

CONNECT_TIMEOUT_SECONDS = 15.0
REQUEST_TIMEOUT_SECONDS = 15.0
DELIVERY_TIMEOUT_SECONDS = 120.0  # a broker may be away for as long: it is Kafka's own default
_CONNECTION_LOGGERS = ("kafka.net.manager", "kafka.net.connection", "kafka.net.transport", "kafka.net.inet")


class PublishError(Exception):
    """Messages could not be published; the message names the setting to look at."""


class BrokerUnreachableError(PublishError):
    """No broker answered."""


class LoginRefusedError(PublishError):
    """The broker refused the user."""


class TopicMissingError(PublishError):
    """The topic does not exist, or this user may not see it."""


class DeliveryError(PublishError):
    """The broker did not take a message."""


class ProducerClient(Protocol):
    """What is used of kafka-python's producer."""

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
    """A client that has reached a broker and knows the topic. Raises a PublishError."""
    client = _created(settings, create_client)
    topic = settings.kafka_topic
    try:
        client.partitions_for(topic)
    except KafkaError as error:
        close(client, timeout_seconds=0)
        raise TopicMissingError(
            f"The topic {topic!r} does not exist at {settings.bootstrap_servers}, or the user may not see it "
            f"({error}). Create it, or set CSAT_KAFKA_TOPIC."
        ) from error
    except BaseException:
        close(client, timeout_seconds=0)
        raise
    return client


def close(client: ProducerClient, timeout_seconds: float) -> None:
    """Release the client's threads and connections; what it could not deliver by then is given up."""
    try:
        client.close(timeout=timeout_seconds)
    except KafkaTimeoutError:
        # It closes by flushing, gives up halfway, and would try again, and complain, when it is collected.
        client._closed = True


def _created(settings: Settings, create_client: CreateClient) -> ProducerClient:
    config = client_config(settings)
    with _ConnectionErrors() as errors:
        try:
            return create_client(**config)
        except (KafkaError, OSError) as error:
            # The client tries again after a refused log-in until its time is up, and tells of it in its log only.
            raise _connection_error(settings, [*errors.seen, error]) from error


def _connection_error(settings: Settings, errors: list[BaseException]) -> PublishError:
    servers = settings.bootstrap_servers
    refusal = next((error for error in errors if isinstance(error, SaslAuthenticationFailedError)), None)
    if refusal is not None:
        return LoginRefusedError(
            f"Kafka at {servers} refused the log-in ({refusal}). "
            "Check CSAT_KAFKA_USERNAME, CSAT_KAFKA_PASSWORD and CSAT_KAFKA_SASL_MECHANISM."
        )
    if isinstance(errors[-1], KafkaConfigurationError | FileNotFoundError):
        return PublishError(f"The Kafka client refused its settings (CSAT_KAFKA_...): {errors[-1]}")
    cause = next((error for error in reversed(errors) if not isinstance(error, KafkaTimeoutError)), errors[-1])
    return BrokerUnreachableError(
        f"No Kafka broker answered at {servers} within {CONNECT_TIMEOUT_SECONDS:g} s ({cause}). "
        "Start the stack, or set CSAT_KAFKA_BOOTSTRAP_SERVERS (and CSAT_KAFKA_SECURITY_PROTOCOL)."
    )


def client_config(settings: Settings) -> dict[str, Any]:
    """kafka-python's configuration. Raises PublishError where a setting that it needs is missing."""
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
    }
    _require_login(settings)
    return config | connection_options(settings)


def _require_login(settings: Settings) -> None:
    if settings.kafka_security_protocol == "PLAINTEXT":
        return
    if settings.kafka_sasl_mechanism == "OAUTHBEARER":
        raise PublishError(
            "The simulator logs in with a password: set CSAT_KAFKA_SASL_MECHANISM to PLAIN or SCRAM-SHA-512."
        )
    if not settings.kafka_username or not settings.kafka_password.get_secret_value():
        raise PublishError("SASL_SSL needs CSAT_KAFKA_USERNAME and CSAT_KAFKA_PASSWORD.")


class _ConnectionErrors(logging.Filter):
    """While open, keeps the errors in the client's connection log, and keeps that log quiet."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[BaseException] = []

    def filter(self, record: logging.LogRecord) -> bool:
        args = record.args if isinstance(record.args, tuple) else ()
        self.seen += [arg for arg in args if isinstance(arg, BaseException)]
        return False

    def __enter__(self) -> Self:
        for name in _CONNECTION_LOGGERS:
            logging.getLogger(name).addFilter(self)
        return self

    def __exit__(self, *_: object) -> None:
        for name in _CONNECTION_LOGGERS:
            logging.getLogger(name).removeFilter(self)
