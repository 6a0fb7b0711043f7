"""Publishes messages to Kafka, and reports each once the broker has confirmed it."""

from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from producer.kafka_client import (
    CONNECT_TIMEOUT_SECONDS,
    DELIVERY_TIMEOUT_SECONDS,
    REQUEST_TIMEOUT_SECONDS,
    CreateClient,
    DeliveryError,
    ProducerClient,
    close,
    connected,
)
from producer.message import Message

# The client's buffer has no limit of its own.
MOST_UNCONFIRMED = 10_000


class Publisher:
    """Publishes to the topic; a context manager that waits for messages in flight, then closes.

    `delivered` is called in the caller's thread with each message that the broker has confirmed.
    """

    def __init__(
        self,
        settings: Settings,
        delivered: Callable[[Message], None],
        create_client: CreateClient = KafkaProducer,
    ) -> None:
        self._settings = settings
        self._delivered = delivered
        self._create_client = create_client
        self._client: ProducerClient | None = None
        self._pending: deque[tuple[Message, Any]] = deque()

    def __enter__(self) -> Self:
        self._client = connected(self._settings, self._create_client)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is None:
            return
        timeout_seconds = 0.0
        try:
            self.settle()
            timeout_seconds = 0.0 if isinstance(error, DeliveryError) else CONNECT_TIMEOUT_SECONDS
        except DeliveryError:
            # The first error is more informative.
            if error is None:
                raise
        finally:
            close(self._client, timeout_seconds)

    def send(self, messages: Iterable[Message]) -> None:
        """Send these messages; waits when too many are unconfirmed. Raises DeliveryError."""
        if self._client is None:
            raise CsatError("Open the publisher with `with` before sending.")
        for message in messages:
            try:
                future = self._client.send(
                    self._settings.kafka_topic, key=message.key, value=message.value, headers=list(message.headers)
                )
            except KafkaError as error:
                raise self._delivery_error(error) from error
            self._pending.append((message, future))
            if len(self._pending) >= MOST_UNCONFIRMED:
                self.settle()

    def settle(self) -> None:
        """Wait until every message is confirmed. Raises DeliveryError for the first that is not."""
        if self._client is None or not self._pending:
            return
        timeout = KafkaTimeoutError("no response")
        try:
            self._client.flush(timeout=DELIVERY_TIMEOUT_SECONDS + REQUEST_TIMEOUT_SECONDS)
        except KafkaTimeoutError as error:
            timeout = error
        failure: BaseException | None = None
        while self._pending:
            message, future = self._pending.popleft()
            if future.succeeded():
                self._delivered(message)
            else:
                failure = failure or future.exception or timeout
        if failure is not None:
            raise self._delivery_error(failure) from failure

    def _delivery_error(self, error: BaseException) -> DeliveryError:
        servers, topic = self._settings.bootstrap_servers, self._settings.kafka_topic
        return DeliveryError(f"Kafka at {servers} did not accept a message for {topic!r}: {error}")
