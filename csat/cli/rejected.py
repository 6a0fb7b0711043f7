"""`csat rejected …`: inspect rejected messages, and replay them."""

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from csat.cli.output import Json, report, report_fields
from csat.contract.settings import get_settings

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
    from csat.bigquery.client import Warehouse
    from csat.bigquery.rejected import count_rejected
    from csat.cli.render import rows_table

    with Warehouse(get_settings()) as warehouse:
        rows = count_rejected(warehouse, _which(reason, since))
    report(rows, is_json, rows_table("rejected", rows))


@app.command("list")
def list_(reason: Reason = "", since: Since = None, limit: Limit = 20, is_json: Json = False) -> None:
    """List the newest rejected messages, without their content."""
    from csat.bigquery.client import Warehouse
    from csat.bigquery.rejected import list_rejected
    from csat.cli.render import rows_table

    with Warehouse(get_settings()) as warehouse:
        rows = list_rejected(warehouse, _which(reason, since), limit)
    report(rows, is_json, rows_table("rejected", rows))


@app.command()
def show(
    partition: Annotated[int, typer.Argument(help="Partition of the message.")],
    offset: Annotated[int, typer.Argument(help="Offset of the message.")],
    payload: Annotated[bool, typer.Option("--payload", help="Show the content too; it may be personal.")] = False,
    is_json: Json = False,
) -> None:
    """Show one rejected message; its content only on request, in base64 in JSON."""
    from csat.bigquery.client import Warehouse
    from csat.bigquery.rejected import show_rejected
    from csat.cli.render import rows_table

    with Warehouse(get_settings()) as warehouse:
        rows = show_rejected(warehouse, partition, offset)
    for row in rows:
        content = bytes(row.pop("payload") or b"")
        row["payload_bytes"] = len(content)
        if payload:
            row["payload"] = (
                base64.b64encode(content).decode() if is_json else content.decode(errors="backslashreplace")
            )
    report(rows, is_json, rows_table("rejected", rows))
    if not rows:
        raise typer.Exit(1)


@app.command()
def replay(reason: Reason = "", since: Since = None, limit: Limit = 10_000, is_json: Json = False) -> None:
    """Replay rejected messages to Kafka, each once, oldest first."""
    from producer.replay import replay as send

    document = send(get_settings(), _which(reason, since), limit).as_dict()
    report_fields("replay", document, is_json)
