"""Erasing a customer: which messages name an id, and what is left of them in the landing table.

An id leaves the command line as its SHA-256 only, so that no log, job or table has it. An erased row keeps its place in
Kafka, its times, its score and whom it is about. Its response id becomes that hash, so that copies stay copies.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query, Rows
from csat.contract import landing
from csat.contract.errors import CsatError
from csat.contract.event import UUID_NOTATION_PATTERN

EVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
ERASED = "erased"
HASH_PATTERN = "[0-9a-f]{64}"
# In the text of a rejected message, in lower case; hyphens may be missing
_ID_PATTERN = "[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}"
_COPY_REASON = "names an id that is erased"


class IdKind(StrEnum):
    """What an id is of."""

    CASE = "case"
    RESPONSE = "response"
    ORDER = "order"


@dataclass(frozen=True)
class ErasedId:
    """An id to erase, by the SHA-256 of its 32 hexadecimal digits in lower case."""

    kind: IdKind
    id_hash: str


def erased_id(kind: IdKind, text: str) -> ErasedId:
    """The id in this text: a UUID, or its hash. Raises CsatError, without the text, which is personal."""
    if re.fullmatch(HASH_PATTERN, text.strip().lower()):
        return ErasedId(kind, text.strip().lower())
    if not re.fullmatch(UUID_NOTATION_PATTERN, text.strip()):
        raise CsatError(f"--{kind} is neither a UUID nor the SHA-256 of one", "name the id as the source system has it")
    digits = re.sub("[^0-9a-f]", "", text.lower().rpartition(":")[2])
    return ErasedId(kind, hashlib.sha256(digits.encode()).hexdigest())


def _hash(value: str) -> str:
    """The same hash in SQL."""
    return f"to_hex(sha256(replace(lower({value}), '-', '')))"


def _erased_value(column: landing.Column) -> str:
    """What an erased row has: the marts need an id of each response, and some text where a text must be there."""
    if column.name == "response_id":
        return f"concat('{ERASED}-', {_hash('response_id')})"
    return f"if(rejection_reason is null, '{ERASED}', null)" if column.is_required else "null"


_PLACE = (
    "concat(kafka_topic, ' ', coalesce(kafka_topic_id, ''), ' ', cast(kafka_partition as string), ' ', "
    "cast(kafka_offset as string))"
)
_NAMING = Query.read(__file__, "naming_messages").filled(id_pattern=_ID_PATTERN, id_hash=_hash("id"))
_INSERT = Query.read(__file__, "insert_erasures").filled(naming_messages=_NAMING.text)
_ERASE = Query.read(__file__, "erase_messages").filled(
    erased_columns=",\n    ".join(f"{column.name} = {_erased_value(column)}" for column in landing.CUSTOMER_COLUMNS),
    erased=ERASED,
    place=_PLACE,
)
_DATES = Query.read(__file__, "erased_dates").filled(erased=ERASED, place=_PLACE)
_IDS = Query.read(__file__, "erased_ids")
_RESPONSES = {
    kind: Query.read(__file__, "responses_of_id").filled(
        response_hash=_hash("response_id"), column_hash=_hash(f"{kind}_id")
    )
    for kind in IdKind
}
STATEMENTS = (*_RESPONSES.values(), _NAMING, _INSERT, _ERASE, _DATES, _IDS)


def related_hashes(warehouse: Warehouse, which: ErasedId) -> list[str]:
    """The hash of the id, and those of the responses that have it in its column. Raises WarehouseError."""
    rows = _RESPONSES[which.kind].rows(warehouse, id_hash=which.id_hash)
    return sorted({which.id_hash, *(row["id_hash"] for row in rows)})


def naming_messages(warehouse: Warehouse, id_hashes: Sequence[str]) -> Rows:
    """The messages that name one of these ids and are not erased: a row for each of both. Raises WarehouseError."""
    return _NAMING.rows(warehouse, id_hashes=id_hashes, since=EVER)


def erase_messages(warehouse: Warehouse, id_hashes: Sequence[str], reason: str, since: datetime = EVER) -> None:
    """Record the messages that name one of these ids, and erase what is recorded. Raises WarehouseError."""
    _INSERT.rows(warehouse, id_hashes=id_hashes, reason=reason, since=since)
    _ERASE.rows(warehouse, since=since)


def erase_copies(warehouse: Warehouse, since: datetime = EVER) -> None:
    """Erase the messages that name an erased id, of those read at or after `since`. Raises WarehouseError."""
    if id_hashes := [row["id_hash"] for row in _IDS.rows(warehouse)]:
        erase_messages(warehouse, id_hashes, _COPY_REASON, since)


def is_erased(warehouse: Warehouse, which: ErasedId) -> bool:
    """Whether messages that named this id have been erased. Raises WarehouseError."""
    return any(row["id_hash"] == which.id_hash for row in _IDS.rows(warehouse))


def erased_dates(warehouse: Warehouse, which: ErasedId) -> tuple[date, ...]:
    """The dates of the erased responses of this id, in order. Raises WarehouseError."""
    return tuple(row["response_date"] for row in _DATES.rows(warehouse, id_hash=which.id_hash))
