from collections.abc import Callable

from csat.contract.settings import Settings
from csat.local import kafka


def test_properties_listen_on_loopback_at_the_ports_of_the_settings(
    make_settings: Callable[..., Settings],
) -> None:
    lines = kafka.properties(make_settings(kafka_port=41, kafka_controller_port=42)).splitlines()
    assert "listeners=PLAINTEXT://127.0.0.1:41,CONTROLLER://127.0.0.1:42" in lines
    assert "auto.create.topics.enable=false" in lines
    assert "log.message.timestamp.type=LogAppendTime" in lines


def test_properties_take_changes_by_the_names_of_kafka(make_settings: Callable[..., Settings]) -> None:
    lines = kafka.properties(make_settings(), {"node.id": 2, "ssl.keystore.type": "PEM"}).splitlines()
    assert "node.id=2" in lines
    assert "node.id=1" not in lines
    assert "ssl.keystore.type=PEM" in lines
