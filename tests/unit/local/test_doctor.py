import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from csat.contract.errors import CsatError
from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.kafka.topic import TopicFacts
from csat.local import doctor, stack
from csat.local.java import find_java, java_variables
from csat.local.ports import free_ports


def make_java(home: Path, version: str) -> Path:
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(0o755)
    return java


def test_find_java_names_the_fix_when_path_is_empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CsatError, match="no java in PATH, fix: make setup installs one, or set JAVA_HOME to Java 17"):
        find_java(tmp_path)


def test_find_java_refuses_java_8(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_java(tmp_path, "1.8.0_402")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(CsatError, match="is Java 8, fix: make setup installs one"):
        find_java(tmp_path / "none")


def test_the_projects_own_java_is_found_first_and_run_by_spark_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    assert java_variables(own) == {}
    java = make_java(own, "17.0.20")
    make_java(tmp_path / "other", "1.8.0_402")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "other"))
    assert find_java(own) == java
    assert java_variables(own) == {"JAVA_HOME": str(own)}


def test_port_check_names_the_setting_and_the_holder_of_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        check = doctor.port_check("kafka_port", port, tmp_path)
    assert not check.is_ok
    assert check.detail.startswith(f"CSAT_KAFKA_PORT={port} is taken by ")
    assert f"(process {os.getpid()})" in check.detail
    assert check.fix == "end it, or set CSAT_KAFKA_PORT to a free port"


def test_port_check_finds_a_port_free_when_its_holder_ends_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def look_too_late(port: int) -> None:
            server.close()

        monkeypatch.setattr("csat.local.doctor.processes.holder", look_too_late)
        check = doctor.port_check("kafka_port", port, tmp_path)
    assert (check.is_ok, check.detail) == (True, f"CSAT_KAFKA_PORT={port} is free")


def test_require_names_the_jars_that_are_missing(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    with pytest.raises(CsatError, match=r"no jars in .*kafka-4\.3\.1, fix: make setup"):
        doctor.require(make_settings(jars_dir=tmp_path / "none"))


def test_a_check_has_the_error_s_own_detail_and_fix(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    folder = tmp_path / "odd, fix: name"
    found = {check.name: check for check in doctor.checks(make_settings(jars_dir=folder))}
    assert found["jars"].detail.startswith(f"no jars in {folder}/kafka-")
    assert found["jars"].fix == "make setup"


@pytest.fixture
def ask_topic(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> Callable[[TopicFacts | KafkaAccessError | None], doctor.Check]:
    """The check where the brokers of another machine respond so."""

    def ask(found: TopicFacts | KafkaAccessError | None) -> doctor.Check:
        def respond(settings: Settings) -> TopicFacts | None:
            if isinstance(found, KafkaAccessError):
                raise found
            return found

        monkeypatch.setattr("csat.kafka.topic.topic_facts", respond)
        servers = {"kafka_bootstrap_servers": "kafka:9092", "kafka_allow_plaintext": True}
        return doctor.topic_check(make_settings(target="gcp", project_id="shop", **servers))

    return ask


def test_topic_check_prints_the_command_that_corrects_the_topic(ask_topic: Callable[..., doctor.Check]) -> None:
    check = ask_topic(TopicFacts("CreateTime", "delete", -1, max_ahead_ms=3_600_000))
    assert (check.is_ok, check.detail) == (False, "message.timestamp.type is CreateTime, not LogAppendTime")
    assert check.fix.startswith("kafka-configs.sh --bootstrap-server kafka:9092 --alter ")


def test_topic_check_says_how_long_kafka_keeps_messages(ask_topic: Callable[..., doctor.Check]) -> None:
    check = ask_topic(TopicFacts("LogAppendTime", "delete", 7_200_000))
    assert (check.is_ok, check.detail) == (True, "Kafka keeps messages: 2 h")


def test_topic_check_reports_brokers_that_do_not_respond(ask_topic: Callable[..., doctor.Check]) -> None:
    check = ask_topic(KafkaAccessError("No Kafka broker responds at kafka:9092"))
    assert (check.is_ok, check.detail) == (False, "not checked: No Kafka broker responds at kafka:9092")


def test_topic_check_accepts_a_topic_that_it_may_not_read(ask_topic: Callable[..., doctor.Check]) -> None:
    check = ask_topic(None)
    assert check.is_ok
    assert check.detail.startswith("not checked: no topic messages")


def test_topic_check_does_not_wait_for_the_local_broker_before_the_stack_is_up(
    make_settings: Callable[..., Settings],
) -> None:
    check = doctor.topic_check(make_settings(**free_ports()))
    assert (check.is_ok, check.detail) == (True, "not checked: the broker is down")


def test_the_stack_of_this_machine_is_neither_checked_nor_ended_where_the_parts_are_containers(
    make_settings: Callable[..., Settings],
) -> None:
    settings = make_settings(supervisord_url="http://spark:9001/RPC2")
    for command in (
        doctor.checks,
        lambda settings: stack.up(settings, print),
        lambda settings: stack.down(settings, print),
    ):
        with pytest.raises(CsatError, match=r"http://spark:9001/RPC2\), fix: csat status .* docker compose"):
            command(settings)
