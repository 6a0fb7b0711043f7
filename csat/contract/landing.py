"""The landing table `survey_responses`: one row per Kafka message, accepted or rejected.

Columns come from the event and from Kafka. All are NULLABLE: a rejected row has no event columns, and BigQuery
refuses a Parquet file with optional columns for REQUIRED ones.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import annotated_types
from pydantic import AwareDatetime
from pydantic.fields import FieldInfo

from csat.contract.event import DataSubject, SurveyResponse

TABLE = "survey_responses"
PARTITION_COLUMN = "ingested_at"  # no content of a message decides how many partitions a load job modifies
CLUSTER_COLUMNS = ("category", "channel", "agent_id")
LOAD_JOB_PREFIX = "csat-"  # of the stream's load job ids: <prefix><query id>-<batch id>-a<attempt>
SCHEMA_FILE = Path(__file__).with_name("landing_schema.json")


class ColumnKind(StrEnum):
    """The type of a column's values."""

    TEXT = "text"
    UUID = "uuid"
    INTEGER = "integer"
    PRICE = "price"
    TIMESTAMP = "timestamp"
    BYTES = "bytes"


BIGQUERY_TYPES = {
    ColumnKind.TEXT: "STRING",
    ColumnKind.UUID: "STRING",
    ColumnKind.INTEGER: "INTEGER",
    ColumnKind.PRICE: "NUMERIC(12,2)",
    ColumnKind.TIMESTAMP: "TIMESTAMP",
    ColumnKind.BYTES: "BYTES",
}
_KIND_OF = {
    str: ColumnKind.TEXT,
    UUID: ColumnKind.UUID,
    int: ColumnKind.INTEGER,
    Decimal: ColumnKind.PRICE,
    AwareDatetime: ColumnKind.TIMESTAMP,
}


@dataclass(frozen=True)
class Column:
    """One column of the landing table.

    `minimum` and `maximum` are inclusive bounds of the accepted values; `pattern` must be found in an accepted text.
    `data_subject` is who it is personal data of.
    """

    name: str
    kind: ColumnKind
    description: str
    is_required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    pattern: str | None = None
    data_subject: DataSubject = DataSubject.NOBODY


class Rejection(StrEnum):
    """Why a message was rejected; the first that applies is recorded. Never a value: it may be personal."""

    EMPTY = "empty message"
    NOT_UTF8 = "not UTF-8"
    NOT_ONE_JSON_OBJECT = "not one JSON object"
    UNSUPPORTED_VERSION = "unsupported schema_version"
    MISSING = "missing {field}"
    INVALID = "invalid {field}: {found}"
    OUT_OF_RANGE = "{field} out of range"
    IN_THE_FUTURE = "answered in the future"
    TOO_LONG_AGO = "answered too long ago"

    def of(self, field: str, found: str = "") -> str:
        """This reason for one field; `found` is the type and shape of its value."""
        return self.value.format(field=field, found=found)


def _kind(field: FieldInfo) -> ColumnKind:
    annotations = [field.annotation, *get_args(field.annotation)]
    for annotation in [inner for outer in annotations for inner in (outer, *get_args(outer))]:
        if annotation in _KIND_OF:
            return _KIND_OF[annotation]
    raise TypeError(f"csat.contract.landing has no column type for {field.annotation}: add it to BIGQUERY_TYPES")


def _bounds(field: FieldInfo) -> tuple[int | None, int | None]:
    rules = list(field.metadata)
    for annotation in get_args(field.annotation):
        rules += [rule for inner in get_args(annotation)[1:] for rule in getattr(inner, "metadata", [])]
    low = next((rule.ge for rule in rules if isinstance(rule, annotated_types.Ge)), None)
    high = next((rule.le for rule in rules if isinstance(rule, annotated_types.Le)), None)
    return low, high  # type: ignore[return-value]  # the rules' types are wider than this model's


def _pattern(field: FieldInfo) -> str | None:
    return next((rule.pattern for rule in field.metadata if getattr(rule, "pattern", None)), None)


def _data_subject(name: str, field: FieldInfo) -> DataSubject:
    found = next((mark for mark in field.metadata if isinstance(mark, DataSubject)), None)
    if found is None:
        raise TypeError(f"csat.contract.event does not say whose data {name} is: annotate it with DataSubject")
    return found


def event_column(name: str, field: FieldInfo) -> Column:
    """The column of a field of the event. Raises TypeError where its type is unknown or its data subject is missing."""
    minimum, maximum = _bounds(field)
    # Defaults are for the producer only: in a message, only a nullable field may be missing.
    is_required = type(None) not in get_args(field.annotation)
    return Column(
        *(name, _kind(field), field.description or "", is_required, minimum, maximum),
        pattern=_pattern(field),
        data_subject=_data_subject(name, field),
    )


EVENT_COLUMNS = tuple(event_column(name, field) for name, field in SurveyResponse.model_fields.items())
KAFKA_COLUMNS = (
    Column("kafka_topic", ColumnKind.TEXT, "Topic of the message.", is_required=True),
    Column("kafka_topic_id", ColumnKind.TEXT, "Kafka's id of the topic: a topic that is created again has another."),
    Column("kafka_partition", ColumnKind.INTEGER, "Partition of the message.", is_required=True),
    Column("kafka_offset", ColumnKind.INTEGER, "Offset of the message in its partition.", is_required=True),
    Column("kafka_timestamp", ColumnKind.TIMESTAMP, "When Kafka received the message.", is_required=True),
    Column("ingested_at", ColumnKind.TIMESTAMP, "When the stream read the batch of the message.", is_required=True),
    Column("batch_id", ColumnKind.TEXT, "Query id and batch number, as in the load job's id.", is_required=True),
    Column("rejection_reason", ColumnKind.TEXT, "Why the message was rejected; null where it was accepted."),
    Column(
        "payload",
        ColumnKind.BYTES,
        "The message as received; only where it was rejected.",
        data_subject=DataSubject.CUSTOMER,
    ),
)
COLUMNS = EVENT_COLUMNS + KAFKA_COLUMNS
CUSTOMER_COLUMNS = tuple(column for column in COLUMNS if column.data_subject is DataSubject.CUSTOMER)


def bigquery_schema() -> list[dict[str, Any]]:
    """The table's fields as BigQuery's API expects them."""
    fields = []
    for column in COLUMNS:
        name, _, size = BIGQUERY_TYPES[column.kind].partition("(")
        field = {"name": column.name, "type": name, "mode": "NULLABLE", "description": column.description}
        if size:
            field["precision"], field["scale"] = size.rstrip(")").split(",")
        fields.append(field)
    return fields


def bigquery_schema_json() -> str:
    """Text of landing_schema.json, from which Terraform and the local stack create the table."""
    return json.dumps(bigquery_schema(), indent=2) + "\n"
