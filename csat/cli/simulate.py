"""`csat simulate`: survey responses of a simulation or of a file, sent to Kafka."""

from pathlib import Path
from typing import Annotated

import typer

from csat.cli.output import Json, report
from csat.cli.servers import KAFKA, settings_with
from producer.csv_dates import DateOrder

_INTERRUPTED = 130  # as a shell counts it: 128 + SIGINT


def simulate(
    events: Annotated[int | None, typer.Option(help="Number of events of the history, and of the live stream.")] = None,
    days: Annotated[int | None, typer.Option(help="Send a history of the last N days.")] = None,
    rate: Annotated[float | None, typer.Option(help="Live events per second, until --events or Ctrl-C.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same agents and responses.")] = 1,
    faults: Annotated[str, typer.Option(help="Bad messages: name=rate,…; an unknown name lists all.")] = "",
    truth: Annotated[Path | None, typer.Option(help="Write each agent's true CSAT to this file.")] = None,
    from_csv: Annotated[Path | None, typer.Option(help="Send this CSV file as the history (docs/import.md).")] = None,
    date_order: Annotated[
        DateOrder | None, typer.Option(help="Read the file's dates in this order; default: decided from all of them.")
    ] = None,
    allow_span: Annotated[
        bool, typer.Option("--allow-span", help="Accept dates of the file that span more than a year; default: refuse.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait up to 15 s for a broker that refuses connections, as one that starts.")
    ] = False,
    is_json: Json = False,
) -> None:
    """Send survey responses to Kafka; the report says what should land."""
    from csat.cli.render import fields_table
    from producer.faults import parse_fault_rates
    from producer.options import SimulateOptions

    options = SimulateOptions(
        events=events,
        days=days,
        rate=rate,
        seed=seed,
        faults=parse_fault_rates(faults),
        truth=truth,
        from_csv=from_csv,
        date_order=date_order,
        allow_span=allow_span,
    )
    settings = settings_with(*([] if wait else [KAFKA]))
    from producer.run import simulate as send

    sent = send(settings, options)
    document = sent.as_dict()
    tables = [fields_table("simulated", {name: value for name, value in document.items() if name != "file"})]
    tables += [fields_table("file", document["file"])] if "file" in document else []
    report(document, is_json, *tables)
    if sent.was_interrupted:
        raise typer.Exit(_INTERRUPTED)
