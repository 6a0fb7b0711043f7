"""Columns of the tables that dbt reads but does not create, from the schema files of those tables."""

import json
from typing import Any

from csat.contract import landing
from csat.contract.settings import ROOT

_FOLDER = ROOT / "csat" / "bigquery" / "schemas"
_STANDARD_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


class SchemaError(Exception):
    """A source has no schema file; the message names the expected path."""


def source_columns(table: str) -> dict[str, str]:
    """Name and type of each column of a source. Raises SchemaError."""
    path = landing.SCHEMA_FILE if table == landing.TABLE else _FOLDER / f"{table}.json"
    if not path.exists():
        raise SchemaError(f"source {table} has no schema file: write its fields to {path}")
    return {field["name"]: column_type(field) for field in json.loads(path.read_text())}


def column_type(field: dict[str, Any]) -> str:
    """The SQL type of a field as BigQuery's API describes it; sizes are left out."""
    name = field["type"].upper()
    if name in ("RECORD", "STRUCT"):
        inner = ", ".join(f"{part['name']} {column_type(part)}" for part in field["fields"])
        name = f"STRUCT<{inner}>"
    name = _STANDARD_NAMES.get(name, name)
    return f"ARRAY<{name}>" if field.get("mode") == "REPEATED" else name
