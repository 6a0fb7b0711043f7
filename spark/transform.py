"""Turns messages into landing rows: each becomes one row, accepted or rejected with the first reason that applies.

It runs on Arrow batches of thousands of messages in Spark's Python workers.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from csat.contract import landing
from csat.contract.event import SUPPORTED_SCHEMA_VERSIONS, TIMESTAMP_PATTERN, UUID_NOTATION_PATTERN, UUID_PATTERN
from csat.contract.landing import EVENT_COLUMNS, ColumnKind, Rejection
from spark.json_objects import IS_OBJECT, JSON_TYPES, RIGHT_TYPE, WRONG_TYPES, read_objects
from spark.message import TimeLimits

_PRICE_SCALE = 2
_LIMITS = {
    ColumnKind.INTEGER: 2.0**53,  # from there on a float may stand for several integers
    ColumnKind.PRICE: 10.0**10,  # NUMERIC(12, 2) has ten digits before the point
}
_TIME = pa.timestamp("us", "UTC")
_FIRST = pa.scalar(datetime(1, 1, 1, tzinfo=UTC), _TIME)  # of BigQuery's timestamps
_LAST = pa.scalar(datetime.max.replace(tzinfo=UTC), _TIME)
_ARROW_TYPES = {
    ColumnKind.TEXT: pa.string(),
    ColumnKind.UUID: pa.string(),
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.PRICE: pa.decimal128(12, _PRICE_SCALE),
    ColumnKind.TIMESTAMP: _TIME,
    ColumnKind.BYTES: pa.binary(),
}
# JSON has one kind of number: 5.0 is the integer 5. The rest is text.
_JSON_TYPES = {ColumnKind.INTEGER: pa.float64(), ColumnKind.PRICE: pa.float64()}
# A reason, or what gives those of the messages that it is asked for, and whether it applies to each message
_Rule = tuple[str | Callable[[pa.BooleanArray], pa.StringArray], pa.BooleanArray]
# What is found in a field whose JSON type is right and whose value is not valid
_INVALID = {
    ColumnKind.TEXT: "text that is not Unicode",
    ColumnKind.UUID: "text that is no UUID",
    ColumnKind.TIMESTAMP: "text that is no timestamp",
    ColumnKind.INTEGER: "number with a fraction",
    ColumnKind.PRICE: "number with more than two decimals",
}
_OTHER_NOTATION, _BLANK = "UUID without hyphens, in braces or as a URN", "text that is blank"

LANDING_SCHEMA = pa.schema([(column.name, _ARROW_TYPES[column.kind]) for column in landing.COLUMNS])
_FIELDS = pa.schema([(column.name, _JSON_TYPES.get(column.kind, pa.string())) for column in EVENT_COLUMNS])


def read_at(moment: datetime, messages: pa.RecordBatch) -> pa.RecordBatch:
    """The messages with this time as ingested_at."""
    return messages.append_column("ingested_at", pa.repeat(pa.scalar(moment, _TIME), len(messages)))


def landing_rows(messages: pa.RecordBatch, batch_id: str, topic_id: str, limits: TimeLimits) -> pa.RecordBatch:
    """The landing table's rows in `LANDING_SCHEMA`, one per message and in the same order.

    `messages` has `spark.message.MESSAGE_COLUMNS` and ingested_at. A response's time may be at most `limits.ahead`
    after each of the two times of its message, Kafka's and ours, and at most `limits.age` before ours.
    """
    objects = read_objects(messages["value"], _FIELDS)
    values = {column.name: _typed(column, objects[column.name]) for column in EVENT_COLUMNS}
    received_at, ingested_at = (messages[name].cast(_TIME) for name in ("timestamp", "ingested_at"))
    # Kafka's time may be a producer's, and ahead as well: only the earlier of the two clocks is a bound
    latest = pc.add(_earlier(received_at, ingested_at), pa.scalar(limits.ahead))
    earliest = pc.subtract(ingested_at, pa.scalar(limits.age))
    reason = _first_reason(_broken_rules(messages["value"], objects, values, (earliest, latest)), len(messages))
    is_accepted = reason.is_null()
    if reason.null_count < len(reason):
        values = {name: pc.if_else(is_accepted, value, None) for name, value in values.items()}
    columns = values | {
        "kafka_topic": messages["topic"],
        "kafka_topic_id": pa.repeat(topic_id, len(messages)),
        "kafka_partition": messages["partition"].cast(pa.int64()),
        "kafka_offset": messages["offset"],
        "kafka_timestamp": pc.if_else(pc.less(received_at, _FIRST), _FIRST, _earlier(received_at, _LAST)),
        "ingested_at": ingested_at,
        "batch_id": pa.repeat(batch_id, len(messages)),
        "rejection_reason": reason,
        "payload": pc.if_else(is_accepted, None, messages["value"]),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in LANDING_SCHEMA.names], schema=LANDING_SCHEMA)


def _earlier(times: pa.TimestampArray, others: pa.TimestampArray | pa.TimestampScalar) -> pa.TimestampArray:
    return pc.if_else(pc.less(times, others), times, others)


def _typed(column: landing.Column, raw: pa.Array) -> pa.Array:
    """The field's values; null where the JSON value is not valid for the column."""
    match column.kind:
        case ColumnKind.UUID:  # one form, so that a copy with other letters is a copy
            return _where(_matches(raw, UUID_PATTERN), pc.ascii_lower(raw))
        case ColumnKind.TIMESTAMP:
            times = _times(_where(_matches(raw, TIMESTAMP_PATTERN), raw))
            return _where(pc.and_(pc.greater_equal(times, _FIRST), pc.less_equal(times, _LAST)), times)
        case ColumnKind.INTEGER | ColumnKind.PRICE:  # a price with three decimals is invalid
            raw = _where(pc.less(pc.abs(raw), _LIMITS[column.kind]), raw)  # Arrow cannot round 1e308
            decimals = _PRICE_SCALE if column.kind is ColumnKind.PRICE else 0
            return _where(pc.equal(pc.round(raw, decimals), raw), raw).cast(_ARROW_TYPES[column.kind])
        case ColumnKind.TEXT if column.pattern:
            return _where(pc.match_substring_regex(raw, column.pattern), raw)
        case _:
            return raw


def _where(is_valid: pa.BooleanArray, values: pa.Array) -> pa.Array:
    return pc.if_else(is_valid, values, None)


def _matches(texts: pa.StringArray, pattern: str) -> pa.BooleanArray:
    return pc.match_substring_regex(texts, rf"^(?:{pattern})\z")  # "$" would allow a trailing line break


def _times(texts: pa.StringArray) -> pa.TimestampArray:
    """The timestamps, cut to microseconds; null for a date that does not exist, such as 30 February."""
    try:
        return texts.cast(_TIME)
    except pa.ArrowInvalid:
        cut = pc.replace_substring_regex(texts, r"(\.\d{6})\d+", r"\1")
    return _times_of(cut)


def _times_of(texts: pa.StringArray) -> pa.TimestampArray:
    try:
        return texts.cast(_TIME)
    except pa.ArrowInvalid:
        if len(texts) == 1:
            return pa.nulls(1, _TIME)
    half = len(texts) // 2
    return pa.concat_arrays([_times_of(texts.slice(0, half)), _times_of(texts.slice(half))])


def _broken_rules(
    messages: pa.BinaryArray,
    objects: pa.RecordBatch,
    values: dict[str, pa.Array],
    bounds: tuple[pa.TimestampArray, pa.TimestampArray],
) -> Iterator[_Rule]:
    """Each reason and whether it applies to each message, in order of precedence.

    `bounds` are the earliest and the latest time that each response may have.
    """
    length = pc.fill_null(pc.binary_length(messages), 0)
    yield Rejection.EMPTY.value, pc.equal(length, 0)
    yield Rejection.NOT_UTF8.value, objects[IS_OBJECT].is_null()
    yield Rejection.NOT_ONE_JSON_OBJECT.value, pc.invert(objects[IS_OBJECT])
    is_supported = pc.is_in(values["schema_version"], pa.array(SUPPORTED_SCHEMA_VERSIONS, pa.int64()))
    yield Rejection.UNSUPPORTED_VERSION.value, pc.and_(values["schema_version"].is_valid(), pc.invert(is_supported))
    for number, column in enumerate(EVENT_COLUMNS):
        yield partial(_reasons, column, number, objects), _is_bad(column, number, objects, values[column.name])
    for column in EVENT_COLUMNS:
        if column.minimum is not None:
            yield Rejection.OUT_OF_RANGE.of(column.name), pc.less(values[column.name], column.minimum)
        if column.maximum is not None:
            yield Rejection.OUT_OF_RANGE.of(column.name), pc.greater(values[column.name], column.maximum)
    earliest, latest = bounds
    yield Rejection.IN_THE_FUTURE.value, pc.greater(values["survey_answered_at"], latest)
    yield Rejection.TOO_LONG_AGO.value, pc.less(values["survey_answered_at"], earliest)


def _is_bad(column: landing.Column, number: int, objects: pa.RecordBatch, value: pa.Array) -> pa.BooleanArray:
    if column.is_required:
        return value.is_null()
    is_invalid = pc.and_(objects[column.name].is_valid(), value.is_null())
    if objects[WRONG_TYPES].null_count == len(objects):
        return is_invalid
    return pc.or_(is_invalid, pc.not_equal(_wrong_type(objects, number), RIGHT_TYPE))


def _wrong_type(objects: pa.RecordBatch, number: int) -> pa.StringArray:
    return pc.fill_null(pc.utf8_slice_codeunits(objects[WRONG_TYPES], number, number + 1), RIGHT_TYPE)


def _reasons(column: landing.Column, number: int, objects: pa.RecordBatch, is_bad: pa.BooleanArray) -> pa.StringArray:
    """What is wrong with the field in these bad messages; null for the others, which cost nothing."""
    bad = objects.filter(is_bad)
    findings = _findings(column, bad[column.name], _wrong_type(bad, number))
    return pc.replace_with_mask(pa.nulls(len(objects), pa.string()), is_bad, _first_reason(findings, len(bad)))


def _findings(column: landing.Column, raw: pa.Array, wrong: pa.StringArray) -> Iterator[_Rule]:
    """Each reason and whether it applies to each of a field's bad values: not valid, or of the wrong JSON type."""
    kind, own_type = column.kind, "t"
    yield Rejection.MISSING.of(column.name), pc.and_(raw.is_null(), pc.equal(wrong, RIGHT_TYPE))
    if kind in _LIMITS:
        own_type = "n"
        is_beyond = pc.or_kleene(pc.greater_equal(pc.abs(raw), _LIMITS[kind]), pc.equal(wrong, own_type))
        yield Rejection.OUT_OF_RANGE.of(column.name), is_beyond
    if kind is ColumnKind.TIMESTAMP:
        times = _times(_where(_matches(raw, TIMESTAMP_PATTERN), raw))
        yield Rejection.OUT_OF_RANGE.of(column.name), times.is_valid()
    if kind is ColumnKind.UUID:
        yield Rejection.INVALID.of(column.name, _OTHER_NOTATION), _matches(raw, UUID_NOTATION_PATTERN)
    if column.pattern:
        yield Rejection.INVALID.of(column.name, _BLANK), raw.is_valid()
    for letter, found in JSON_TYPES.items():
        reason = Rejection.INVALID.of(column.name, _INVALID[kind] if letter == own_type else found)
        yield reason, pc.equal(wrong, letter)
    yield Rejection.INVALID.of(column.name, _INVALID[kind]), raw.is_valid()


def _first_reason(rules: Iterator[_Rule], count: int) -> pa.StringArray:
    reason = pa.nulls(count, pa.string())
    for broken, is_broken in rules:
        if pc.any(is_broken).as_py():
            is_first = pc.and_(reason.is_null(), pc.fill_null(is_broken, False))
            reason = pc.if_else(is_first, broken if isinstance(broken, str) else broken(is_first), reason)
    return reason
