"""`csat rejected …`: inspect rejected messages, and replay them."""

import base64
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from csat.cli.output import Json, report, report_fields, report_rows, say
from csat.cli.servers import BIGQUERY, KAFKA, settings_with
from csat.contract.terminal import printable

if TYPE_CHECKING:
    from csat.bigquery.rejected import Rejected

app = typer.Typer(help="Rejected messages: count, list, show, replay.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Only reasons that start so, such as 'unsupported schema_version'.")]
_FORMATS = ["%Y-%m-%d", *(f"%Y-%m-%d{sep}%H:%M:%S{end}" for sep in "T " for end in ("", "%z", ".%f", ".%f%z"))]
Since = Annotated[
    datetime | None,
    typer.Option(
        help="Only messages that the stream read since then; in UTC unless it names an offset.",
        formats=_FORMATS,
        metavar="TIME",
    ),
]
Limit = Annotated[int, typer.Option(min=1, help="Maximum messages.")]


def _which(reason: str, since: datetime | None) -> "Rejected":
    from csat.bigquery.rejected import Rejected

    if since is None:
        return Rejected(reason)
    return Rejected(reason, since if since.tzinfo else since.replace(tzinfo=UTC))


@app.command()
def count(reason: Reason = "", since: Since = None, is_json: Json = False) -> None:
    """Count the rejected messages by reason."""
    settings = settings_with(BIGQUERY)
    from csat.bigquery.client import Warehouse
    from csat.bigquery.rejected import count_rejected

    with Warehouse(settings) as warehouse:
        rows = count_rejected(warehouse, _which(reason, since))
    report_rows("rejected", rows, is_json, "no rejected messages")


@app.command("list")
def list_(reason: Reason = "", since: Since = None, limit: Limit = 20, is_json: Json = False) -> None:
    """List the newest rejected messages, without their content."""
    settings = settings_with(BIGQUERY)
    from csat.bigquery.client import Warehouse
    from csat.bigquery.rejected import list_rejected

    with Warehouse(settings) as warehouse:
        rows = list_rejected(warehouse, _which(reason, since), limit)
    report_rows("rejected", rows, is_json, "no rejected messages")


@app.command()
def show(
    partition: Annotated[int, typer.Argument(help="Partition of the message.")],
    offset: Annotated[int, typer.Argument(help="Offset of the message.")],
    payload: Annotated[bool, typer.Option("--payload", help="Show the content too; it may be personal.")] = False,
    is_json: Json = False,
) -> None:
    """Show one rejected message; its content only on request, in base64 in JSON."""
    settings = settings_with(BIGQUERY)
    from csat.bigquery.client import Warehouse
    from csat.bigquery.rejected import show_rejected

    with Warehouse(settings) as warehouse:
        rows = show_rejected(warehouse, partition, offset)
    contents = [bytes(row.pop("payload") or b"") for row in rows]
    for row, content in zip(rows, contents, strict=True):
        row["payload_bytes"] = len(content)
        if payload and is_json:
            row["payload"] = base64.b64encode(content).decode()
    if is_json:
        report(rows, is_json)
    else:
        _print(rows, contents if payload else [])
    if not rows:
        say(f"no rejected message at partition {partition}, offset {offset}")
        raise typer.Exit(1)


def _print(rows: list[dict[str, Any]], contents: list[bytes]) -> None:
    """Each message as a list of its fields, then its content: as it came, on a terminal with escapes."""
    for number, row in enumerate(rows):
        width = max(map(len, row))
        for name, value in row.items():
            print(f"{name.replace('_', ' '):<{width}}  {'–' if value is None else printable(str(value))}")
        print()
        if contents:
            _print_content(contents[number])


def _print_content(content: bytes) -> None:
    if sys.stdout.isatty():
        print(printable(content.decode(errors="backslashreplace")))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content + b"\n")
    sys.stdout.buffer.flush()


@app.command()
def replay(reason: Reason = "", since: Since = None, limit: Limit = 10_000, is_json: Json = False) -> None:
    """Replay rejected messages to Kafka, each once, oldest first."""
    settings = settings_with(KAFKA, BIGQUERY)
    from producer.replay import replay as send

    document = send(settings, _which(reason, since), limit).as_dict()
    report_fields("replay", document, is_json)
