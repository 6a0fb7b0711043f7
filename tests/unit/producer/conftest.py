"""Fixtures of the producer's tests: one month of simulated responses, and a fake Kafka client."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from producer.message import Message
from producer.simulate import Simulator

SEED = 7
START = datetime(2026, 10, 5, 9, 30, tzinfo=UTC)
END = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


class FakeDelivery:
    """A delivery whose outcome is set when the client is flushed."""

    def __init__(self) -> None:
        self.exception: Exception | None = None
        self.is_done = False

    def succeeded(self) -> bool:
        return self.is_done and self.exception is None


class FakeClient:
    """Replaces kafka-python's producer; records its calls."""

    def __init__(self, **config: Any) -> None:
        self.config = config
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.deliveries: list[FakeDelivery] = []
        self.calls: list[str] = []
        self.failures: dict[int, Exception] = {}
        self.topic_error: Exception | None = None
        self.close_error: Exception | None = None
        self._closed = False

    def partitions_for(self, topic: str) -> set[int]:
        if self.topic_error is not None:
            raise self.topic_error
        return {0}

    def send(self, topic: str, *, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> FakeDelivery:
        self.sent.append((topic, key, value))
        self.deliveries.append(FakeDelivery())
        return self.deliveries[-1]

    def flush(self, timeout: float) -> None:
        self.calls.append("flush")
        for index, delivery in enumerate(self.deliveries):
            delivery.is_done = True
            delivery.exception = self.failures.get(index)

    def close(self, timeout: float) -> None:
        self.calls.append("close")
        if self.close_error is not None:
            raise self.close_error


@pytest.fixture
def make_client() -> type[FakeClient]:
    """Makes Kafka clients that accept everything."""
    return FakeClient


@pytest.fixture
def client() -> FakeClient:
    """A Kafka client that accepts everything."""
    return FakeClient()


@pytest.fixture
def create_client(client: FakeClient) -> Callable[..., FakeClient]:
    """Creates that client with its configuration."""

    def create(**config: Any) -> FakeClient:
        client.config = config
        return client

    return create


@pytest.fixture(scope="session")
def simulator() -> Simulator:
    """The world of one seed."""
    return Simulator(SEED)


@pytest.fixture(scope="session")
def month(simulator: Simulator) -> list[Message]:
    """20,000 responses over four weeks."""
    return list(simulator.history(20_000, START, END))


@pytest.fixture(scope="session")
def events(month: list[Message]) -> list[dict[str, Any]]:
    """The same responses, parsed as JSON."""
    return [json.loads(message.value) for message in month]
