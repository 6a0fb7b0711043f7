"""Output: results go to stdout, as tables or as one JSON document; everything else goes to stderr."""

import json
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from csat.contract.settings import get_settings
from csat.contract.terminal import printable
from csat.control.command_result import CommandResult
from csat.control.state_files import StateFiles

_NO_LIMIT = 100_000  # columns: a file or a pipe has no width
_FRAME = 3  # a border, and a space on either side of a column

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def say(line: str) -> None:
    """Print a line of progress, or an error, to stderr."""
    Console(stderr=True, highlight=False).print(printable(line), markup=False, soft_wrap=True)


def report(document: Mapping[str, Any] | Sequence[Any], is_json: bool, *parts: Table | str) -> None:
    """Print a result: the document if JSON is requested, else the tables and sentences. No table is cut."""
    if is_json:
        text = json.dumps(document, indent=2, default=_plain)
        print(text)
        _keep(text)
        return
    for part in parts:
        if isinstance(part, str):
            Console(highlight=False).print(Text(printable(part)), soft_wrap=True)
        else:
            Console(highlight=False, width=_width(part)).print(part)


def _width(table: Table) -> int:
    """The terminal's width, or what the table needs at least: then the terminal breaks its lines."""
    if not sys.stdout.isatty():
        return _NO_LIMIT
    return max(sum((column.min_width or 0) + _FRAME for column in table.columns) + 1, Console().width)


def _keep(text: str) -> None:
    """Keep the document for a caller that does not see the output. Raises StateFilesUnreachableError."""
    settings = get_settings()
    if settings.result_id:
        result = CommandResult(result_id=settings.result_id, document=json.loads(text))
        StateFiles(settings.state_files).write_command_result(result)


def report_fields(title: str, document: Mapping[str, Any], is_json: bool) -> None:
    """Print a result with one line per field, or as JSON."""
    from csat.cli.render import fields_table

    report(document, is_json, fields_table(title, document))


def report_rows(title: str, rows: Sequence[Mapping[str, Any]], is_json: bool, if_none: str) -> None:
    """Print rows as a table or as JSON; a table without rows is a sentence."""
    from csat.cli.render import rows_table

    report(rows, is_json, rows_table(title, rows) if rows else if_none)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value.isoformat()
