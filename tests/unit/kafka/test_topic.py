"""The topic's configuration, from what kafka-python's admin client returns."""

from collections.abc import Callable
from typing import Any

import pytest
from kafka.errors import RequestTimedOutError

from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.kafka import topic
from csat.kafka.topic import TopicFacts, fix, topic_facts

SETTINGS = Settings(_env_file=None, kafka_topic="answers", kafka_port=41)
VALUES = {"message.timestamp.type": "CreateTime", "cleanup.policy": "compact", "retention.ms": "-1"}
AHEAD = "message.timestamp.after.max.ms"


class FakeAdmin:
    """Has one topic, and notes what it is asked."""

    def __init__(self, respond: Callable[[], Any]) -> None:
        self.respond = respond
        self.asked: list[Any] = []
        self.is_closed = False

    def describe_configs(self, resources: list[Any], **options: Any) -> Any:
        self.asked.append((resources[0].name, sorted(resources[0].configs), options))
        return self.respond()

    def close(self) -> None:
        self.is_closed = True


def asked(monkeypatch: pytest.MonkeyPatch, respond: Callable[[], Any]) -> FakeAdmin:
    admin = FakeAdmin(respond)
    monkeypatch.setattr(topic, "open_admin", lambda settings: admin)
    return admin


def response(values: dict[str, str]) -> dict[str, Any]:
    return {"topic": {"answers": {name: {"value": value} for name, value in values.items()}}}


def test_facts_are_the_topics_values_whether_it_has_its_own_or_the_brokers(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = asked(monkeypatch, lambda: response(VALUES | {"retention.bytes": "7", AHEAD: "3600000"}))
    assert topic_facts(SETTINGS) == TopicFacts(
        "CreateTime", "compact", retention_ms=-1, retention_bytes=7, max_ahead_ms=3_600_000
    )
    names = ["cleanup.policy", AHEAD, "message.timestamp.type", "retention.bytes", "retention.ms"]
    assert admin.asked == [("answers", names, {"config_filter": "all"})]
    assert admin.is_closed


@pytest.mark.parametrize("found", [{}, response({}), response({"retention.ms": "1"})])
def test_no_facts_where_the_broker_returns_none(monkeypatch: pytest.MonkeyPatch, found: dict[str, Any]) -> None:
    asked(monkeypatch, lambda: found)
    assert topic_facts(SETTINGS) is None


@pytest.mark.parametrize(
    ("kind", "ahead", "is_found"),
    [
        ("CreateTime", None, True),  # a broker before 3.6
        ("CreateTime", 2**63 - 1, True),  # the default before 4.0
        ("CreateTime", 3_600_000, False),
        ("LogAppendTime", None, False),
    ],
)
def test_producers_times_without_a_limit_are_a_problem(kind: str, ahead: int | None, is_found: bool) -> None:
    problems = TopicFacts(kind, "delete", -1, max_ahead_ms=ahead).problems
    text = "message.timestamp.after.max.ms is not limited: one record time in nanoseconds stops the stream"
    assert (text in problems) is is_found


def test_a_time_out_is_kafka_that_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def time_out() -> None:
        raise RequestTimedOutError

    admin = asked(monkeypatch, time_out)
    with pytest.raises(KafkaAccessError, match=r"127\.0\.0\.1:41 did not return the topic's configuration"):
        topic_facts(SETTINGS)
    assert admin.is_closed


def test_fix_is_the_command_with_the_names_of_the_settings() -> None:
    assert fix(SETTINGS) == (
        "kafka-configs.sh --bootstrap-server 127.0.0.1:41 --alter --entity-type topics --entity-name answers "
        "--add-config message.timestamp.type=LogAppendTime,cleanup.policy=delete"
    )
