"""Whether a record of Kafka is the one that landed."""

import json
from dataclasses import replace
from typing import Any

import pytest
from kafka.consumer.fetcher import ConsumerRecord

from csat.bigquery.landed_records import LandedRecord

ID = "11111111-1111-4111-8111-111111111111"
TIME = 1_795_176_000_000
ACCEPTED = LandedRecord(0, 4, TIME, ID, None)
REJECTED = replace(ACCEPTED, response_id=None, payload=b"no JSON")
MESSAGE = json.dumps({"response_id": ID}).encode()


def record(value: bytes | None, timestamp: int = TIME) -> Any:
    fields = dict.fromkeys(ConsumerRecord._fields)
    return ConsumerRecord(**fields | {"offset": 4, "timestamp": timestamp, "value": value})


@pytest.mark.parametrize(
    ("landed", "found", "is_same"),
    [
        pytest.param(ACCEPTED, record(MESSAGE), True, id="an accepted one"),
        pytest.param(ACCEPTED, record(MESSAGE, TIME + 1), False, id="the same text at another time"),
        pytest.param(ACCEPTED, record(MESSAGE.replace(b"1", b"2")), False, id="another text at the same time"),
        pytest.param(ACCEPTED, record(b"no JSON"), False, id="no JSON instead of a response"),
        pytest.param(ACCEPTED, record(None), False, id="no value instead of a response"),
        pytest.param(
            replace(ACCEPTED, response_id="a" * 8 + ID[8:]),
            record(json.dumps({"response_id": "A" * 8 + ID[8:]}).encode()),
            True,
            id="an id in capitals",
        ),
        pytest.param(
            replace(ACCEPTED, response_id="a" * 8 + ID[8:]),
            record(b'{"response_id": "' + b"A" * 8 + ID[8:].encode() + b'", "other": ' + b"1" * 5_000 + b"}"),
            True,
            id="an id in capitals beside a number that is too long for Python",
        ),
        pytest.param(ACCEPTED, record(MESSAGE.replace(b"-", b"\\u002d")), True, id="an id with escapes"),
        pytest.param(
            ACCEPTED, record(b"[" * 100_000 + MESSAGE.replace(b"-", b"\\u002d")), True, id="too deep to be read"
        ),
        pytest.param(replace(ACCEPTED, response_id="erased-0123"), record(MESSAGE), True, id="an erased one"),
        pytest.param(
            replace(ACCEPTED, response_id="erased-0123"), record(MESSAGE, TIME - 1), False, id="not the erased one"
        ),
        pytest.param(REJECTED, record(b"no JSON"), True, id="a rejected one"),
        pytest.param(REJECTED, record(b"other"), False, id="another rejected one"),
        pytest.param(replace(REJECTED, payload=b""), record(b""), True, id="an empty one"),
        pytest.param(replace(REJECTED, payload=None), record(None), True, id="a tombstone"),
        pytest.param(replace(REJECTED, payload=None), record(b"x", TIME - 1), False, id="not that tombstone"),
        pytest.param(ACCEPTED, record(MESSAGE, -1), True, id="a time that Spark changes"),
        pytest.param(ACCEPTED, record(MESSAGE, 253_402_300_800_000), True, id="a time beyond the table's"),
        pytest.param(ACCEPTED, record(MESSAGE, 253_402_300_799_999), False, id="the last time that is compared"),
        pytest.param(replace(ACCEPTED, timestamp_ms=None), record(MESSAGE), True, id="a row without a time"),
        pytest.param(ACCEPTED, record(MESSAGE.replace(b"1", b"2"), -1), False, id="another text without a time"),
    ],
)
def test_a_record_is_the_landed_one_by_its_time_and_its_id_or_bytes(
    landed: LandedRecord, found: Any, is_same: bool
) -> None:
    assert landed.is_of(found) is is_same
