"""The publisher reports each confirmed message and every error, with a fake Kafka client."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaConnectionError, KafkaTimeoutError, NotEnoughReplicasError, SaslAuthenticationFailedError
from pydantic import SecretStr

from csat.contract.errors import CsatError
from csat.contract.kafka_access import KafkaAccessError, KafkaRefusedError
from csat.contract.settings import Settings
from producer import publish
from producer.kafka_client import DeliveryError, client_config
from producer.message import Message
from producer.publish import Publisher

Create = Callable[..., Any]
MESSAGES = [Message(b"agent-0001", b"one", 1), Message(b"agent-0002", b"two", 2), Message(b"agent-0003", b"three", 3)]

SECURED = {"kafka_security_protocol": "SASL_SSL", "kafka_username": "ada", "kafka_password": SecretStr("s3cret")}


@pytest.fixture
def settings() -> Settings:
    return Settings.model_construct(kafka_bootstrap_servers="broker:9092", kafka_topic="messages")


def failing(error: BaseException, cause: BaseException | None = None) -> Callable[..., Any]:
    """A client that gives up, and logs why as kafka-python does."""

    def create(**_: Any) -> Any:
        logging.getLogger("kafka.net.manager").warning("Bootstrap connection to %s failed: %s", 0, cause or error)
        raise error from cause

    return create


def test_publisher_sends_each_message_with_its_key(settings: Settings, client: Any, create_client: Create) -> None:
    with Publisher(settings, lambda _: None, create_client) as publisher:
        publisher.send(MESSAGES[:2])
    assert client.sent == [("messages", b"agent-0001", b"one"), ("messages", b"agent-0002", b"two")]


def test_publisher_flushes_and_closes_on_exit(settings: Settings, client: Any, create_client: Create) -> None:
    delivered: list[Message] = []
    with Publisher(settings, delivered.append, create_client) as publisher:
        publisher.send(MESSAGES)
        assert delivered == []
    assert delivered == MESSAGES
    assert client.calls == ["flush", "close"]


def test_publisher_flushes_and_closes_when_its_caller_fails(
    settings: Settings, client: Any, create_client: Create
) -> None:
    delivered: list[Message] = []

    def interrupted() -> Iterator[Message]:
        yield from MESSAGES
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Publisher(settings, delivered.append, create_client) as publisher:
        publisher.send(interrupted())
    assert delivered == MESSAGES
    assert client.calls == ["flush", "close"]


def test_publisher_raises_a_failed_delivery_and_reports_only_the_others(
    settings: Settings, client: Any, create_client: Create
) -> None:
    delivered: list[Message] = []
    client.failures = {1: NotEnoughReplicasError()}
    with (
        pytest.raises(DeliveryError, match=r"'messages'.*NotEnoughReplicasError"),
        Publisher(settings, delivered.append, create_client) as publisher,
    ):
        publisher.send(MESSAGES)
    assert delivered == [MESSAGES[0], MESSAGES[2]]
    assert client.calls[-1] == "close"


def test_publisher_raises_the_first_failure_when_closing_fails_too(
    settings: Settings, client: Any, create_client: Create
) -> None:
    client.failures = {0: NotEnoughReplicasError()}
    client.close_error = KafkaTimeoutError("Timeout waiting for future")
    with (
        pytest.raises(DeliveryError, match="NotEnoughReplicasError"),
        Publisher(settings, lambda _: None, create_client) as publisher,
    ):
        publisher.send(MESSAGES)
    assert client._closed


def test_publisher_does_not_count_a_message_whose_flush_timed_out(
    settings: Settings, client: Any, create_client: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(timeout: float) -> None:
        raise KafkaTimeoutError("too long")

    monkeypatch.setattr(client, "flush", run_out)
    delivered: list[Message] = []
    with (
        pytest.raises(DeliveryError, match="too long"),
        Publisher(settings, delivered.append, create_client) as publisher,
    ):
        publisher.send(MESSAGES)
    assert delivered == []


def test_publisher_waits_when_too_many_are_unconfirmed(settings: Settings, client: Any, create_client: Create) -> None:
    delivered: list[Message] = []
    with Publisher(settings, delivered.append, create_client) as publisher:
        publisher.send([MESSAGES[0]] * (publish.MOST_UNCONFIRMED + 1))
        assert len(delivered) == 10_000
    assert len(delivered) == 10_001


def test_publisher_creates_no_client_until_it_is_opened(settings: Settings) -> None:
    publisher = Publisher(settings, lambda _: None, failing(AssertionError("connected")))
    with pytest.raises(CsatError, match="Open the publisher"):
        publisher.send(MESSAGES)


def test_unreachable_broker_is_named_with_its_setting_and_cause(settings: Settings) -> None:
    create = failing(KafkaTimeoutError("no bootstrap"), cause=KafkaConnectionError("111 ECONNREFUSED"))
    with (
        pytest.raises(KafkaAccessError, match=r"broker:9092.*ECONNREFUSED.*CSAT_KAFKA_BOOTSTRAP_SERVERS"),
        Publisher(settings, lambda _: None, create),
    ):
        pass


def test_refused_login_names_user_and_password(settings: Settings) -> None:
    with (
        pytest.raises(KafkaRefusedError, match=r"bad user.*CSAT_KAFKA_USERNAME, CSAT_KAFKA_PASSWORD"),
        Publisher(
            settings.model_copy(update=SECURED), lambda _: None, failing(SaslAuthenticationFailedError("bad user"))
        ),
    ):
        pass


def test_connection_log_is_quiet_only_while_connecting(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    create = failing(KafkaTimeoutError("no bootstrap"))
    with pytest.raises(KafkaAccessError), Publisher(settings, lambda _: None, create):
        pass
    assert caplog.messages == []
    logging.getLogger("kafka.net.manager").warning("later")
    assert caplog.messages == ["later"]


def test_missing_topic_is_named_with_its_setting(settings: Settings, client: Any, create_client: Create) -> None:
    client.topic_error = KafkaTimeoutError("Failed to update metadata")
    with (
        pytest.raises(CsatError, match=r"'messages' does not exist.*CSAT_KAFKA_TOPIC"),
        Publisher(settings, lambda _: None, create_client),
    ):
        pass
    assert client.calls == ["close"]


def test_client_is_safe_by_configuration(settings: Settings) -> None:
    config = client_config(settings)
    wanted = {
        "bootstrap_servers": ["broker:9092"],
        "acks": "all",
        "enable_idempotence": True,
        "allow_auto_create_topics": False,
        "security_protocol": "PLAINTEXT",
    }
    assert wanted.items() <= config.items()
    assert "sasl_mechanism" not in config
    assert config["bootstrap_timeout_ms"] <= 30_000
    assert config["delivery_timeout_ms"] <= 120_000


def test_kafka_python_knows_every_option_that_is_set(settings: Settings) -> None:
    assert set(client_config(settings)) <= set(KafkaProducer.DEFAULT_CONFIG)
    assert set(client_config(settings.model_copy(update=SECURED))) <= set(KafkaProducer.DEFAULT_CONFIG)
