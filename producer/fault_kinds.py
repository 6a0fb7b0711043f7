"""All kinds of faults: how each is injected into a message, and why the stream may then reject it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from csat.contract.event import SUPPORTED_SCHEMA_VERSIONS
from csat.contract.landing import EVENT_COLUMNS, Rejection
from producer.event_text import json_text
from producer.message import Message

DAY_MS = 86_400_000
_MINUTES_BEFORE = (73, 1_435)  # How far replies precede their reports in the source.
_SCORES_OUT_OF_RANGE = (-1, 0, 6, 10)
# Without its version, an event would be rejected because of the version.
_REMOVABLE = tuple(column.name for column in EVENT_COLUMNS if column.is_required and column.name != "schema_version")
_WRONG_TYPES: tuple[tuple[str, Any, str], ...] = (
    ("csat_score", "five", "text"),
    ("csat_score", 4.5, "number with a fraction"),
    ("response_id", "not-a-uuid", "text that is no UUID"),
    ("item_price", "free", "text"),
    ("issue_reported_at", "yesterday", "text that is no timestamp"),
    ("survey_answered_at", 20260801, "number"),
)


class Fault(StrEnum):
    """What can be wrong with a message; a message has at most one fault."""

    DUPLICATE = "duplicate"
    LATE = "late"
    MALFORMED = "malformed"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_CATEGORY = "unknown_category"
    UNSUPPORTED_VERSION = "unsupported_version"
    RESPONSE_BEFORE_REPORT = "response_before_report"


class Spoiled(NamedTuple):
    """A message's new value, and why the stream will reject it (None: it will not)."""

    value: bytes
    rejection: str | None = None
    moved_ms: int = 0


@dataclass(frozen=True)
class FaultKind:
    """How a fault is injected; without `rejections` the stream accepts the message."""

    spoil: Callable[[bytes, np.random.Generator], Spoiled]
    rejections: tuple[Rejection, ...] = ()


def spoiled(message: Message, fault: Fault, rng: np.random.Generator) -> Message:
    """The message with this fault."""
    value, rejection, moved_ms = FAULT_KINDS[fault].spoil(message.value, rng)
    return message._replace(
        value=value, answered_ms=message.answered_ms + moved_ms, fault=fault.value, rejection=rejection
    )


def _with_fields(value: bytes, **fields: Any) -> bytes:
    return json_text(json.loads(value) | fields).encode()


def _shifted(time: str, by: timedelta) -> str:
    return (datetime.fromisoformat(time) + by).isoformat(timespec="milliseconds")


def _copied(value: bytes, _: np.random.Generator) -> Spoiled:
    return Spoiled(value)


def _made_late(value: bytes, rng: np.random.Generator) -> Spoiled:
    moved_ms = -int(rng.integers(DAY_MS, 4 * DAY_MS))
    event = json.loads(value)
    names = ("issue_reported_at", "issue_responded_at", "survey_answered_at")
    times = {name: _shifted(event[name], timedelta(milliseconds=moved_ms)) for name in names}
    return Spoiled(_with_fields(value, **times), moved_ms=moved_ms)


def _malformed(value: bytes, rng: np.random.Generator) -> Spoiled:
    variants = (
        (b"", Rejection.EMPTY),
        (b"\xff\xfe" + value, Rejection.NOT_UTF8),
        # Never inside a character: that would be another reason.
        (value[: value.rindex(b",")], Rejection.NOT_ONE_JSON_OBJECT),
        (value + b" and more", Rejection.NOT_ONE_JSON_OBJECT),
        (b"[" + value + b"]", Rejection.NOT_ONE_JSON_OBJECT),
        (value.replace(b'"', b"'"), Rejection.NOT_ONE_JSON_OBJECT),
        (value[:-1] + b',"note":NaN}', Rejection.NOT_ONE_JSON_OBJECT),
    )
    spoiled_value, rejection = variants[rng.integers(len(variants))]
    return Spoiled(spoiled_value, rejection.value)


def _field_removed(value: bytes, rng: np.random.Generator) -> Spoiled:
    name = _REMOVABLE[rng.integers(len(_REMOVABLE))]
    event = {field: content for field, content in json.loads(value).items() if field != name}
    return Spoiled(json_text(event).encode(), Rejection.MISSING.of(name))


def _wrong_type(value: bytes, rng: np.random.Generator) -> Spoiled:
    name, content, found = _WRONG_TYPES[rng.integers(len(_WRONG_TYPES))]
    return Spoiled(_with_fields(value, **{name: content}), Rejection.INVALID.of(name, found))


def _out_of_range(value: bytes, rng: np.random.Generator) -> Spoiled:
    score = _SCORES_OUT_OF_RANGE[rng.integers(len(_SCORES_OUT_OF_RANGE))]
    return Spoiled(_with_fields(value, csat_score=score), Rejection.OUT_OF_RANGE.of("csat_score"))


def _unknown_category(value: bytes, _: np.random.Generator) -> Spoiled:
    return Spoiled(_with_fields(value, category="Drone delivery", sub_category="Landed on the roof"))


def _unsupported_version(value: bytes, _: np.random.Generator) -> Spoiled:
    version = max(SUPPORTED_SCHEMA_VERSIONS) + 1
    return Spoiled(_with_fields(value, schema_version=version), Rejection.UNSUPPORTED_VERSION.value)


def _response_before_report(value: bytes, rng: np.random.Generator) -> Spoiled:
    before = timedelta(minutes=int(rng.integers(*_MINUTES_BEFORE, endpoint=True)))
    responded_at = _shifted(json.loads(value)["issue_reported_at"], -before)
    return Spoiled(_with_fields(value, issue_responded_at=responded_at))


FAULT_KINDS = {
    Fault.DUPLICATE: FaultKind(_copied),
    Fault.LATE: FaultKind(_made_late),
    Fault.MALFORMED: FaultKind(_malformed, (Rejection.EMPTY, Rejection.NOT_UTF8, Rejection.NOT_ONE_JSON_OBJECT)),
    Fault.MISSING_FIELD: FaultKind(_field_removed, (Rejection.MISSING,)),
    Fault.WRONG_TYPE: FaultKind(_wrong_type, (Rejection.INVALID,)),
    Fault.OUT_OF_RANGE: FaultKind(_out_of_range, (Rejection.OUT_OF_RANGE,)),
    Fault.UNKNOWN_CATEGORY: FaultKind(_unknown_category),
    Fault.UNSUPPORTED_VERSION: FaultKind(_unsupported_version, (Rejection.UNSUPPORTED_VERSION,)),
    Fault.RESPONSE_BEFORE_REPORT: FaultKind(_response_before_report),
}
