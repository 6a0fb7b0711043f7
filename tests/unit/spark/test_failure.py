"""What is kept of the long texts in which Spark reports a failed query."""

import pytest

from csat.contract.alerts import AlertKey
from spark.decision import DecisionNeededError
from spark.failure import cause_line, own_alert

QUERY = "[STREAM_FAILED] Query [id = a, runId = b] terminated with exception: "
PROXY = "An exception was raised by the Python Proxy. Return Message: Traceback (most recent call last):\n"
FRAMES = '  File "/a/py4j/clientserver.py", line 644, in _call_proxy\n    return self.pool[obj_id]\n           ^^^^\n'
BATCH = f"{QUERY}{PROXY}{FRAMES}"
STATE = " SQLSTATE: 39000 SQLSTATE: XXKST\n=== Streaming Query ===\nIdentifier: [id = a]\n"
CHAIN = "OSError: disk\n\nThe above exception was the direct cause of the following exception:\n\n"
JOB = (
    "py4j.protocol.Py4JJavaError: An error occurred while calling o1.collect.\n: org.apache.spark.SparkException: no\n"
)
WORKER = "org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n"
NANOSECONDS = "[KAFKA_MALFORMED_RECORD_TIMESTAMP] 1795948940451542143 overflows when converting to Spark's microseconds"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("no jars\nin the folder", "no jars"),
        ("", ""),
        (f"{BATCH}csat.CsatError: refused\nmore\n{STATE}", "csat.CsatError: refused"),
        (f"{BATCH}{CHAIN}Traceback (most recent call last):\n{FRAMES}ValueError: why\n{STATE}", "ValueError: why"),
        (f"{BATCH}{JOB}\tat a.b\nCaused by: java.io.IOException: full\n\tat a.b\n{STATE}", "java.io.IOException: full"),
        (f"{BATCH}{JOB}Caused by: {WORKER}{FRAMES}ValueError: a remark\n\n\tat a.b\n", "ValueError in a Python worker"),
    ],
    ids=["plain", "empty", "batch", "chain", "java", "worker"],
)  # fmt: skip
def test_the_line_of_the_cause_is_kept(text: str, line: str) -> None:
    assert cause_line(RuntimeError(text)) == f"RuntimeError: {line}"


def test_the_line_is_short() -> None:
    assert len(cause_line(RuntimeError("x" * 5_000))) == 1_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{QUERY}{PROXY}{FRAMES}{JOB}Caused by: KafkaIllegalStateException: {NANOSECONDS}\n", True),
        ("java.lang.ArithmeticException: long overflow\n\tat org.apache.spark.sql.kafka010.KafkaRecordToRow", True),
        ("java.lang.ArithmeticException: long overflow\n\tat a.b", False),
        (f"{QUERY}{PROXY}{FRAMES}ValueError: why\n{STATE}", False),
    ],
)
def test_a_record_time_in_nanoseconds_is_the_topics(text: str, expected: bool) -> None:
    assert own_alert(RuntimeError(text)) == (AlertKey.TOPIC_MISCONFIGURED if expected else "")


def test_what_a_person_must_decide_has_its_own_alert() -> None:
    assert own_alert(DecisionNeededError(AlertKey.TOPIC_CHANGED, "what", "fix")) == AlertKey.TOPIC_CHANGED
