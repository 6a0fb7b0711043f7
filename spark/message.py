"""Kafka messages in the stream: the columns it reads, the scheme of staging buckets, and the limits of their times."""

from datetime import timedelta
from typing import NamedTuple

BUCKETS = "gs://"
MESSAGE_COLUMNS = ("value", "topic", "partition", "offset", "timestamp")


class TimeLimits(NamedTuple):
    """How far a response's time may be after the clocks of Kafka and the stream, and before that of the stream."""

    ahead: timedelta
    age: timedelta
