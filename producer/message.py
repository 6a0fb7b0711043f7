"""The simulator's output: a Kafka message and its expected outcome."""

from typing import NamedTuple


class Message(NamedTuple):
    """One Kafka message.

    `answered_ms` is its survey_answered_at in milliseconds since 1970. `fault` names the fault that was put in;
    `rejection` is the reason that the stream will give, None where it will accept the message.
    """

    key: bytes
    value: bytes
    answered_ms: int
    fault: str | None = None
    rejection: str | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
