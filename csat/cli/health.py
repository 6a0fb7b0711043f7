"""`csat check …` and `csat alert`: whether the pipeline keeps its promises, and who is told when it does not."""

from enum import StrEnum
from typing import Annotated

import typer

from csat.cli.output import report, say
from csat.contract.alerts import AlertKey, Severity
from csat.contract.settings import get_settings

check = typer.Typer(help="Prove what the pipeline promises.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


class Call(StrEnum):
    """What `csat alert` says of its key."""

    WARNING = "warning"
    CRITICAL = "critical"
    RECOVERED = "recovered"


@check.command()
def completeness(is_json: Json = False) -> None:
    """Compare Kafka's records with the rows that landed; exits with 1 when one is lost or twice there."""
    from csat.bigquery.client import Warehouse
    from csat.cli.render import fields_table, rows_table
    from csat.monitoring.completeness import check_completeness

    with Warehouse(get_settings()) as warehouse:
        result = check_completeness(warehouse)
    document = result.as_dict()
    totals = {name: value for name, value in document.items() if name != "partitions"}
    tables = [rows_table("partitions", document["partitions"]), fields_table("records", totals)]
    report(document, is_json, *tables)
    if not result.is_complete:
        raise typer.Exit(1)


@check.command()
def health(is_json: Json = False) -> None:
    """Check the whole pipeline and send alerts; exits with 1 if a check fails."""
    from csat.cli.render import alerts_table, health_check_table
    from csat.monitoring.health_check import run_health_check

    found = run_health_check(get_settings())
    document = found.as_dict()
    report(document, is_json, health_check_table(document), alerts_table(document))
    if not found.is_healthy:
        raise typer.Exit(1)


def alert(
    call: Annotated[Call, typer.Argument(help="How bad it is, or that it is over.")],
    key: Annotated[AlertKey, typer.Argument(help="What is wrong: a key of csat/contract/alerts.py.", metavar="KEY")],
    text: Annotated[str, typer.Argument(help="What was found.")],
    about: Annotated[str, typer.Option(help="What it is about, such as a DAG.")] = "",
) -> None:
    """Raise an alert, or end one. It is told once while it stands, now and then again, and when it is over."""
    from csat.monitoring.alerts import Alerts

    alerts = Alerts(get_settings())
    if call is Call.RECOVERED:
        told = alerts.recover(key, text, about)
    else:
        told = alerts.alert(Severity(call.value), key, text, about)
    if not told:
        say(f"nothing to tell: {key} " + ("does not stand" if call is Call.RECOVERED else "stands and was told"))
