"""What is sent again of a rejected row."""

import pytest

from producer.replay import message_of

ROW = {"kafka_topic": "messages", "kafka_partition": 2, "kafka_offset": 41}


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        (b'{"agent_id": "agent-7", "schema_version": 2}', b"agent-7"),
        (b'{"agent_id": 7}', b""),
        (b"[1]", b""),
        (b"\xff\xfe", b""),
        (b"[" * 100_000, b""),
    ],
)
def test_message_of_keeps_the_bytes_and_names_the_origin(payload, key):
    message = message_of({**ROW, "payload": payload})
    assert message.value == payload
    assert message.key == key
    assert message.headers == (("csat-replayed-from", b"messages/2/41"),)
