"""Messages to landing rows: every message becomes one row, accepted or rejected with the first reason that fits.

All of it runs in the JVM. Spark's JSON reader takes single quotes, NaN and whatever follows the first value, so a
message is read as an element of an array that ends with a mark no sender can guess: exactly two elements, the second
being the mark, means one JSON object and nothing else.
"""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from csat import landing
from csat.event import MAX_DAYS_AHEAD, SUPPORTED_SCHEMA_VERSIONS, TIMESTAMP_PATTERN, UUID_PATTERN
from csat.landing import ColumnKind, Rejection

_STRICT = {"allowSingleQuotes": "false", "allowNonNumericNumbers": "false", "mode": "PERMISSIVE"}
_EXACT_PRICE = "DECIMAL(38,12)"


def landing_rows(messages: DataFrame, ingested_at: Column, mark: str) -> DataFrame:
    """The landing table's columns but `batch_id`, one row a message.

    `messages` has Kafka's value, topic, partition, offset and timestamp. `mark` is a text that no sender knows.
    """
    raw = messages.select(
        "value",
        F.col("topic").alias("kafka_topic"),
        F.col("partition").cast("BIGINT").alias("kafka_partition"),
        F.col("offset").alias("kafka_offset"),
        F.col("timestamp").alias("kafka_timestamp"),
        _parsed(F.col("value").cast("STRING"), mark).alias("parsed"),
    )
    typed = raw.select(
        *["value", "kafka_topic", "kafka_partition", "kafka_offset", "kafka_timestamp"],
        _is_one_object(F.col("parsed"), mark).alias("is_one_object"),
        *[F.col("parsed")[0][column.name].alias(f"raw_{column.name}") for column in landing.EVENT_COLUMNS],
        *[_typed(column).alias(column.name) for column in landing.EVENT_COLUMNS],
    )
    judged = typed.withColumn("rejection_reason", _rejection_reason())
    is_accepted = F.col("rejection_reason").isNull()
    return judged.select(
        *[F.when(is_accepted, F.col(column.name)).alias(column.name) for column in landing.EVENT_COLUMNS],
        *["kafka_topic", "kafka_partition", "kafka_offset", "kafka_timestamp"],
        ingested_at.alias("ingested_at"),
        "rejection_reason",
        F.when(~is_accepted, F.col("value")).alias("payload"),
    )


def _parsed(text: Column, mark: str) -> Column:
    schema = f"ARRAY<STRUCT<{landing.reader_schema()}, _end STRING>>"
    return F.from_json(F.concat(F.lit("["), text, F.lit(f',{{"_end":"{mark}"}}]')), schema, _STRICT)


def _is_one_object(parsed: Column, mark: str) -> Column:
    is_one = (F.size(parsed) == 2) & parsed[0].isNotNull() & (parsed[1]["_end"] == mark)
    return F.coalesce(is_one, F.lit(False))


def _typed(column: landing.Column) -> Column:
    raw = F.col("parsed")[0][column.name]
    if column.kind in (ColumnKind.TEXT, ColumnKind.UUID, ColumnKind.INTEGER):
        return raw
    return raw.try_cast(column.type.spark)


def _matches(text: Column, pattern: str) -> Column:
    return text.rlike(rf"^(?:{pattern})\z")  # "$" would let a line break follow


def _is_bad(column: landing.Column) -> Column:
    raw, value = F.col(f"raw_{column.name}"), F.col(column.name)
    match column.kind:
        case ColumnKind.UUID:
            is_wrong = ~_matches(raw, UUID_PATTERN)
        case ColumnKind.TIMESTAMP:
            is_wrong = value.isNull() | ~_matches(raw, TIMESTAMP_PATTERN)
        case ColumnKind.PRICE:  # a cast rounds; a price of three decimals is no price
            is_wrong = value.isNull() | (raw.try_cast(_EXACT_PRICE) != value)
        case _:
            is_wrong = F.lit(False)
    return raw.isNull() | is_wrong if column.is_required else raw.isNotNull() & is_wrong


def _is_out_of_range(column: landing.Column) -> Column:
    value = F.col(column.name)
    too_low = value < column.minimum if column.minimum is not None else F.lit(False)
    too_high = value > column.maximum if column.maximum is not None else F.lit(False)
    return too_low | too_high


def _rejection_reason() -> Column:
    value = F.col("value")
    text = value.cast("STRING")
    columns = landing.EVENT_COLUMNS
    bounded = [column for column in columns if (column.minimum, column.maximum) != (None, None)]
    latest = F.col("kafka_timestamp") + F.expr(f"INTERVAL {MAX_DAYS_AHEAD} DAY")
    rules = [
        (value.isNull() | (F.length(value) == 0), Rejection.EMPTY.value),
        (~F.is_valid_utf8(text), Rejection.NOT_UTF8.value),
        (~F.col("is_one_object"), Rejection.NOT_ONE_JSON_OBJECT.value),
        (~F.col("schema_version").isin(*SUPPORTED_SCHEMA_VERSIONS), Rejection.UNSUPPORTED_VERSION.value),
        *[(_is_bad(column), Rejection.BAD_FIELD.of(column.name)) for column in columns],
        *[(_is_out_of_range(column), Rejection.OUT_OF_RANGE.of(column.name)) for column in bounded],
        (F.col("survey_answered_at") > latest, Rejection.IN_THE_FUTURE.value),
    ]
    (first, reason), *others = rules
    return reduce(lambda chain, rule: chain.when(rule[0], F.lit(rule[1])), others, F.when(first, F.lit(reason)))
