"""Parses messages as strict JSON: a message is exactly one RFC 8259 object, encoded in UTF-8.

Arrow's reader parses thousands of messages at once. It accepts NaN and Inf, refuses duplicate fields, and does not say
which message it refuses. So messages that it refuses, and those that may contain NaN, are divided until few are left,
and Python's reader reads these one by one. Both readers give the same values. Messages with only the requested fields,
as nearly all are, are not searched for NaN: it would show in a numeric column.
"""

import json
import re
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

IS_OBJECT = "is_object"
WRONG_TYPES = "wrong_types"
RIGHT_TYPE = "."
JSON_TYPES = {"t": "text", "n": "number", "b": "boolean", "c": "list or object"}

_SPACE = " \t\n\r"  # of RFC 8259
_PARTS = 8
_FEW = 32  # up to this many, reading one by one is faster than starting Arrow's reader
_LONGEST_INTEGER = 20  # characters of an int64 at most, its sign included
_INT64 = range(-(2**63), 2**63)
_NOT_NUMBERS = (b"NaN", b"Inf")
_LITERAL = r'"(?:[^"\\]|\\.)*"'
_TEXT_LITERAL = re.compile(_LITERAL, re.DOTALL)
_BRACKETS = "{}[]"
_TOKEN = re.compile(_LITERAL + r'|[{}\[\]]|[^"{}\[\]]+', re.DOTALL)
_NESTED = 2  # the depth of a list or object that is a field's value
_INFINITE = (float("inf"), float("-inf"))
_NO_FIELDS = pa.schema([])


class _NotJsonError(ValueError):
    """NaN, Infinity or -Infinity, which Python's reader would accept."""


def read_objects(messages: pa.BinaryArray, fields: pa.Schema) -> pa.RecordBatch:
    """The messages' values: one row per message, a column for each of `fields` (text, int64 or float64), and two more.

    `is_object` is null if the message is not UTF-8, else whether it is one JSON object. `wrong_types` is null unless a
    field has a value of another type; then it has a letter for each field, that of the found type in `JSON_TYPES`, or
    `RIGHT_TYPE`. The column of a wrong field is null, as for a missing one. A text that cannot be encoded in UTF-8,
    such as half of a surrogate pair, is wrong, and so is a number beyond the type. Of duplicate fields the last counts.
    Other fields may hold anything.
    """
    texts = _texts(messages)
    trimmed = pc.ascii_trim(texts, _SPACE)
    may_be_object = pc.and_(pc.starts_with(trimmed, "{"), pc.ends_with(trimmed, "}"))
    if not pc.all(may_be_object, skip_nulls=False).as_py():
        texts = pc.if_else(pc.fill_null(may_be_object, False), texts, "{}")
    objects = _divide(texts, fields)
    is_object = pc.and_(may_be_object, objects.column(IS_OBJECT))
    return objects.set_column(objects.schema.get_field_index(IS_OBJECT), IS_OBJECT, is_object)


def _texts(messages: pa.BinaryArray) -> pa.StringArray:
    try:
        return messages.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_text(message) for message in messages.to_pylist()], pa.string())


def _text(message: bytes | None) -> str | None:
    try:
        return None if message is None else message.decode()
    except UnicodeDecodeError:
        return None


def _divide(texts: pa.StringArray, fields: pa.Schema) -> pa.RecordBatch:
    """Each text begins and ends with a brace, so all are objects if Arrow finds as many objects as texts."""
    objects = _read_at_once(texts, fields) if len(texts) > _FEW else _read_one_by_one(texts, fields)
    if objects is not None:
        return objects
    size = -(-len(texts) // _PARTS)
    parts = [_divide(texts.slice(start, size), fields) for start in range(0, len(texts), size)]
    return pa.concat_batches(parts)


def _read_at_once(texts: pa.StringArray, fields: pa.Schema) -> pa.RecordBatch | None:
    """The objects, or None if a text is not surely an object, or has a value that needs a closer check."""
    # No text can end inside another: a line break is not allowed in a string, and "}" before "{" only between objects.
    lines = pc.binary_join_element_wise(texts, "", "\n").buffers()[2]
    table = _parse(lines, fields, other_fields="error")
    if table is None and not any(_may_hold(word, lines.to_pybytes()) for word in _NOT_NUMBERS):
        table = _parse(lines, fields)
    if table is None or table.num_rows != len(texts):
        return None
    columns = [table.column(name).combine_chunks() for name in fields.names]
    if not all(_is_finite(column) for column in columns):
        return None
    return _objects(columns, pa.repeat(True, len(texts)), pa.nulls(len(texts), pa.string()), fields)


def _parse(lines: pa.Buffer, fields: pa.Schema, other_fields: Literal["ignore", "error"] = "ignore") -> pa.Table | None:
    """A row for each object, or None if Arrow refuses one."""
    try:
        return arrow_json.read_json(
            pa.BufferReader(lines),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=lines.size + 1),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=fields, newlines_in_values=True, unexpected_field_behavior=other_fields
            ),
        )
    except pa.ArrowInvalid:
        return None


def _is_finite(values: pa.Array) -> bool:
    return not pa.types.is_floating(values.type) or bool(pc.all(pc.is_finite(values), min_count=0).as_py())


def _may_hold(word: bytes, lines: bytes) -> bool:
    """Whether the word occurs where a value may begin, which may be inside a text."""
    at = lines.find(word)
    while at >= 0:
        before = lines[max(0, at - 16) : at].rstrip(b" \t\n\r-")
        if not before or before[-1:] in b"[,:":
            return True
        at = lines.find(word, at + 1)
    return False


def _objects(columns: list[pa.Array], is_object: pa.Array, wrong: pa.Array, fields: pa.Schema) -> pa.RecordBatch:
    names = [*fields.names, IS_OBJECT, WRONG_TYPES]
    return pa.RecordBatch.from_arrays([*columns, is_object, wrong], names)


def _read_one_by_one(texts: pa.StringArray, fields: pa.Schema) -> pa.RecordBatch:
    rows = [_read_one(text, fields) for text in texts.to_pylist()]
    columns = [_column([values[number] for _, values, _ in rows], field.type) for number, field in enumerate(fields)]
    is_object = pa.array([is_object for is_object, _, _ in rows], pa.bool_())
    return _objects(columns, is_object, pa.array([wrong for _, _, wrong in rows], pa.string()), fields)


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_floating(kind):
        values = [None if value is None else float(value) for value in values]
    return pa.array(values, kind)


def _read_one(text: str, fields: pa.Schema) -> tuple[bool, list[Any], str | None]:
    """Whether the text is an object, the values of the fields, and the types of the wrong ones."""
    try:
        found = json.loads(text, parse_constant=_refuse, parse_int=_integer)
    except RecursionError:
        return _read_deep(text, fields)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return False, [None] * len(fields), None
    values: list[Any] = []
    wrong: dict[int, str] = {}
    for number, field in enumerate(fields):
        value = found.get(field.name)
        if value is not None and not _is_of(value, field.type):
            wrong[number], value = _json_type(value), None
        values.append(value)
    return True, values, _wrong_types(wrong, fields)


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "b"
    if isinstance(value, str):
        return "t"
    return "n" if isinstance(value, int | float) else "c"


def _wrong_types(wrong: dict[int, str], fields: pa.Schema) -> str | None:
    return "".join(wrong.get(number, RIGHT_TYPE) for number in range(len(fields))) if wrong else None


def _refuse(word: str) -> None:
    raise _NotJsonError(word)


def _integer(digits: str) -> int | float:
    """Python limits the digits of int(): longer numbers become floats."""
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _is_of(value: Any, kind: pa.DataType) -> bool:
    if pa.types.is_string(kind):
        return isinstance(value, str) and (value.isascii() or _is_unicode(value))
    if isinstance(value, bool):
        return False
    if pa.types.is_integer(kind):
        return isinstance(value, int) and value in _INT64
    return isinstance(value, int | float) and value not in _INFINITE


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_deep(text: str, fields: pa.Schema) -> tuple[bool, list[Any], str | None]:
    """`_read_one` for a nesting too deep for Python's reader: Arrow's, without a limit, checks the nested values."""
    outside = _TEXT_LITERAL.sub("", text)
    if any(word.decode() in outside for word in _NOT_NUMBERS) or not _is_one_object(text):
        return False, [None] * len(fields), None
    return _read_one(_without_nested(text), fields)


def _without_nested(text: str) -> str:
    """The text of an object, its lists and objects emptied."""
    depth, kept = 0, []
    for token in _TOKEN.findall(text):
        depth += token in ("{", "[")
        if depth == 1 or (depth == _NESTED and token in _BRACKETS):
            kept.append(token)
        depth -= token in ("}", "]")
    return "".join(kept)


def _is_one_object(text: str) -> bool:
    table = _parse(pa.py_buffer(text.encode()), _NO_FIELDS)
    return table is not None and table.num_rows == 1
