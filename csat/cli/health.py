"""`csat check …` and `csat alert`: whether the pipeline meets its guarantees, and alerts when it does not."""

from enum import StrEnum
from typing import Annotated

import typer

from csat.cli.output import Json, report, say
from csat.contract.alerts import AlertKey, Severity
from csat.contract.settings import get_settings

check = typer.Typer(help="Verify what the pipeline guarantees.", no_args_is_help=True)


class Call(StrEnum):
    """What `csat alert` reports for its key."""

    WARNING = "warning"
    CRITICAL = "critical"
    RECOVERED = "recovered"


@check.command()
def completeness(is_json: Json = False) -> None:
    """Compare Kafka's messages with the landed rows; exits with 1 if one is lost or duplicated."""
    from csat.bigquery.client import Warehouse
    from csat.cli.render import fields_table, rows_table
    from csat.monitoring.completeness import check_completeness

    with Warehouse(get_settings()) as warehouse:
        result = check_completeness(warehouse)
    document = result.as_dict()
    totals = {name: value for name, value in document.items() if name != "partitions"}
    tables = [rows_table("partitions", document["partitions"]), fields_table("messages", totals)]
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
    call: Annotated[Call, typer.Argument(help="The severity, or that it is resolved.")],
    key: Annotated[AlertKey, typer.Argument(help="What failed: a key of csat/contract/alerts.py.", metavar="KEY")],
    text: Annotated[str, typer.Argument(help="What was found.")],
    about: Annotated[str, typer.Option(help="What the alert is about, such as a DAG.")] = "",
) -> None:
    """Open or resolve an alert. It is sent once, again as a reminder while it is open, and when it is resolved."""
    from csat.monitoring.alerts import Alerts

    alerts = Alerts(get_settings())
    if call is Call.RECOVERED:
        is_sent = alerts.recover(key, text, about)
    else:
        is_sent = alerts.alert(Severity(call.value), key, text, about)
    if not is_sent:
        say(f"nothing to send: {key} " + ("is not open" if call is Call.RECOVERED else "is open and was sent before"))
