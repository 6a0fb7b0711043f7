"""What local-bigquery 0.3.2 works out of a statement, kept for the next time it comes.

A build of the marts sends the same 80 statements each time, and a view of the board the same few. To parse them and to
find the types of their parts is half of what the emulator's Python does, of which one thread at a time does anything.
Used by csat.local.emulator.serve, in the emulator's own environment.
"""

import functools
import json
from dataclasses import dataclass, field
from typing import Any

_MOST_KEPT = 300


@dataclass(frozen=True)
class _Untyped:
    """A statement before its types are known; one is another's equal if their types are."""

    content: tuple[int, str, bool]
    tree: Any = field(compare=False)
    schema: dict[str, Any] = field(compare=False)


def keep_parsed_statements() -> None:
    """Parse a text once. The rules of the translation change what they are given: each gets a copy."""
    from local_bigquery.jobs import query
    from local_bigquery.sql import script, translate

    parse = translate.parse

    @functools.lru_cache(_MOST_KEPT)
    def parsed(sql: str) -> list[Any]:
        trees: list[Any] = parse(sql)
        return trees

    @functools.wraps(parse)
    def parse_once(sql: str) -> list[Any]:
        return [tree.copy() for tree in parsed(sql)]

    translate.parse = script.parse = query.parse = parse_once


def keep_types() -> None:
    """Find the types of a statement once for the columns that its tables have; nothing but the types is read."""
    from local_bigquery.sql.rules import typing

    find_types = typing._typed

    @functools.lru_cache(_MOST_KEPT)
    def typed(statement: _Untyped) -> Any:
        _, _, is_positional = statement.content
        return find_types(statement.tree, statement.schema, is_positional)

    @functools.wraps(find_types)
    def type_once(tree: Any, schema: dict[str, Any], positional: bool) -> Any:
        return typed(_Untyped((hash(tree), json.dumps(schema), positional), tree, schema))

    typing._typed = type_once
