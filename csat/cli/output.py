"""Where output goes: results to stdout, as tables or as one JSON document; all else to stderr."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table


def say(line: str) -> None:
    """Print a line of progress, or an error, to stderr."""
    Console(stderr=True, highlight=False).print(line, markup=False, soft_wrap=True)


def report(document: Mapping[str, Any] | Sequence[Any], is_json: bool, *tables: Table) -> None:
    """Print a result: the document where JSON is asked for, else the tables."""
    if is_json:
        print(json.dumps(document, indent=2, default=_plain))
        return
    console = Console(highlight=False)
    for table in tables:
        console.print(table)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value.isoformat()
