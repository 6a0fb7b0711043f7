"""What a failed query's error says: Spark wraps the cause in texts of several pages."""

import re

from csat.contract.alerts import AlertKey
from spark.decision import DecisionNeededError

_MAX_CHARACTERS = 1_000
_TRACEBACK = "Traceback (most recent call last):\n"
_CAUSED_BY = "Caused by: "
_BAD_TIMESTAMP = re.compile(
    # Spark 4.0 names only the overflow, later versions the record: https://github.com/apache/spark/pull/55038
    r"KAFKA_MALFORMED_RECORD_TIMESTAMP|overflows when converting to Spark's microseconds"
    r"|long overflow(?=.*\.kafka010\.)",
    re.DOTALL,
)


def cause_line(error: Exception) -> str:
    """One line with the cause, of at most 1,000 characters and without message data.

    An error of a Python worker, which handles messages, is only named: its text may quote one.
    """
    text = str(error)
    return f"{type(error).__name__}: {_cause(text) or _first_line(text)}"[:_MAX_CHARACTERS]


def own_alert(error: Exception) -> str:
    """The key of the alert that the failure has of its own; empty for any other.

    A record time that Spark cannot represent, such as one in nanoseconds, is the topic's: no driver can read past it.
    """
    if isinstance(error, DecisionNeededError):
        return error.alert
    return AlertKey.TOPIC_MISCONFIGURED if _BAD_TIMESTAMP.search(str(error)) else ""


def _cause(text: str) -> str:
    """The last error of the chain; empty where the text has none."""
    caused = text.rpartition(_CAUSED_BY)[2] if _CAUSED_BY in text else ""
    if caused and _TRACEBACK not in caused:
        return _first_line(caused)
    if _TRACEBACK not in text:
        return ""
    lines = text.rpartition(_TRACEBACK)[2].splitlines()
    raised = next((line for line in lines if line.strip() and not line.startswith(" ")), "")
    return f"{raised.partition(':')[0]} in a Python worker" if "PythonException" in text else raised


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")
