"""Turns messages into landing rows: each becomes one row, accepted or rejected with the first reason that applies.

It runs on Arrow batches of thousands of messages in Spark's Python workers.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from csat.contract import landing
from csat.contract.event import MAX_DAYS_AHEAD, SUPPORTED_SCHEMA_VERSIONS, TIMESTAMP_PATTERN, UUID_PATTERN
from csat.contract.landing import EVENT_COLUMNS, ColumnKind, Rejection
from spark.json_objects import IS_OBJECT, WRONG_FIELDS, read_objects

_PRICE_SCALE = 2
_INTEGER_LIMIT = 2.0**53  # from there on a float may stand for several integers
_PRICE_LIMIT = 10.0**10  # NUMERIC(12, 2) has ten digits before the point
_TIME = pa.timestamp("us", "UTC")
_FIRST = pa.scalar(datetime(1, 1, 1, tzinfo=UTC), _TIME)  # of BigQuery's timestamps
_END = pa.scalar(253_402_300_800_000_000, pa.int64()).cast(_TIME)  # the year 10000
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

LANDING_SCHEMA = pa.schema([(column.name, _ARROW_TYPES[column.kind]) for column in landing.COLUMNS])
_FIELDS = pa.schema([(column.name, _JSON_TYPES.get(column.kind, pa.string())) for column in EVENT_COLUMNS])


def read_at(moment: datetime, messages: pa.RecordBatch) -> pa.RecordBatch:
    """The messages with this time as ingested_at."""
    return messages.append_column("ingested_at", pa.repeat(pa.scalar(moment, _TIME), len(messages)))


def landing_rows(messages: pa.RecordBatch, batch_id: str) -> pa.RecordBatch:
    """The landing table's rows in `LANDING_SCHEMA`, one per message and in the same order.

    `messages` has `spark.message.MESSAGE_COLUMNS` and ingested_at.
    """
    objects = read_objects(messages["value"], _FIELDS)
    values = {column.name: _typed(column, objects[column.name]) for column in EVENT_COLUMNS}
    reason = _first_reason(_broken_rules(messages, objects, values), len(messages))
    is_accepted = reason.is_null()
    if reason.null_count < len(reason):
        values = {name: pc.if_else(is_accepted, value, None) for name, value in values.items()}
    columns = values | {
        "kafka_topic": messages["topic"],
        "kafka_partition": messages["partition"].cast(pa.int64()),
        "kafka_offset": messages["offset"],
        "kafka_timestamp": messages["timestamp"].cast(_TIME),
        "ingested_at": messages["ingested_at"].cast(_TIME),
        "batch_id": pa.repeat(batch_id, len(messages)),
        "rejection_reason": reason,
        "payload": pc.if_else(is_accepted, None, messages["value"]),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in LANDING_SCHEMA.names], schema=LANDING_SCHEMA)


def _typed(column: landing.Column, raw: pa.Array) -> pa.Array:
    """The field's values; null where the JSON value is not valid for the column."""
    match column.kind:
        case ColumnKind.UUID:
            return _where(_matches(raw, UUID_PATTERN), raw)
        case ColumnKind.TIMESTAMP:
            times = _times(_where(_matches(raw, TIMESTAMP_PATTERN), raw))
            return _where(pc.and_(pc.greater_equal(times, _FIRST), pc.less(times, _END)), times)
        case ColumnKind.INTEGER:
            is_integer = pc.and_(pc.equal(pc.trunc(raw), raw), pc.less(pc.abs(raw), _INTEGER_LIMIT))
            return _where(is_integer, raw).cast(_ARROW_TYPES[column.kind])
        case ColumnKind.PRICE:  # three decimals are invalid
            is_price = pc.and_(pc.equal(pc.round(raw, _PRICE_SCALE), raw), pc.less(pc.abs(raw), _PRICE_LIMIT))
            return _where(is_price, raw).cast(_ARROW_TYPES[column.kind])
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
    messages: pa.RecordBatch, objects: pa.RecordBatch, values: dict[str, pa.Array]
) -> Iterator[tuple[str, pa.BooleanArray]]:
    """Each reason and whether it applies to each message, in order of precedence."""
    length = pc.fill_null(pc.binary_length(messages["value"]), 0)
    yield Rejection.EMPTY.value, pc.equal(length, 0)
    yield Rejection.NOT_UTF8.value, objects[IS_OBJECT].is_null()
    yield Rejection.NOT_ONE_JSON_OBJECT.value, pc.invert(objects[IS_OBJECT])
    is_supported = pc.is_in(values["schema_version"], pa.array(SUPPORTED_SCHEMA_VERSIONS, pa.int64()))
    yield Rejection.UNSUPPORTED_VERSION.value, pc.and_(values["schema_version"].is_valid(), pc.invert(is_supported))
    for number, column in enumerate(EVENT_COLUMNS):
        yield Rejection.BAD_FIELD.of(column.name), _is_bad(column, number, objects, values[column.name])
    for column in EVENT_COLUMNS:
        if column.minimum is not None:
            yield Rejection.OUT_OF_RANGE.of(column.name), pc.less(values[column.name], column.minimum)
        if column.maximum is not None:
            yield Rejection.OUT_OF_RANGE.of(column.name), pc.greater(values[column.name], column.maximum)
    latest = pc.add(messages["timestamp"], pa.scalar(timedelta(days=MAX_DAYS_AHEAD)))
    yield Rejection.IN_THE_FUTURE.value, pc.greater(values["survey_answered_at"], latest)


def _is_bad(column: landing.Column, number: int, objects: pa.RecordBatch, value: pa.Array) -> pa.BooleanArray:
    if column.is_required:
        return value.is_null()
    is_wrong = pc.not_equal(pc.bit_wise_and(objects[WRONG_FIELDS], 1 << number), 0)
    return pc.or_(is_wrong, pc.and_(objects[column.name].is_valid(), value.is_null()))


def _first_reason(rules: Iterator[tuple[str, pa.BooleanArray]], count: int) -> pa.StringArray:
    reason = pa.nulls(count, pa.string())
    for name, is_broken in rules:
        if pc.any(is_broken).as_py():
            is_first = pc.and_(reason.is_null(), pc.fill_null(is_broken, False))
            reason = pc.if_else(is_first, name, reason)
    return reason
