"""Output: results go to stdout, as tables or as one JSON document; everything else goes to stderr."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from csat.contract.settings import get_settings
from csat.contract.terminal import printable
from csat.control.command_result import CommandResult
from csat.control.state_files import StateFiles

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def say(line: str) -> None:
    """Print a line of progress, or an error, to stderr."""
    Console(stderr=True, highlight=False).print(printable(line), markup=False, soft_wrap=True)


def report(document: Mapping[str, Any] | Sequence[Any], is_json: bool, *tables: Table) -> None:
    """Print a result: the document if JSON is requested, else the tables."""
    if is_json:
        text = json.dumps(document, indent=2, default=_plain)
        print(text)
        _keep(text)
        return
    console = Console(highlight=False)
    for table in tables:
        console.print(table)


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


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value.isoformat()
