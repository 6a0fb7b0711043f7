"""`csat check …`: whether the pipeline meets its guarantees."""

from typing import Annotated

import typer

from csat.cli.output import Json, report
from csat.cli.servers import BIGQUERY, KAFKA, settings_with
from csat.contract.settings import get_settings

check = typer.Typer(help="Verify what the pipeline guarantees.", no_args_is_help=True)


@check.command()
def completeness(is_json: Json = False) -> None:
    """Compare Kafka's messages with the landed rows; exits with 1 if they are not complete, or are not the same."""
    settings = settings_with(KAFKA, BIGQUERY)
    from csat.bigquery.client import Warehouse
    from csat.cli.render import fields_table, rows_table
    from csat.cli.verdicts import completeness_verdict
    from csat.monitoring.completeness import check_completeness

    with Warehouse(settings) as warehouse:
        result = check_completeness(warehouse)
    document = result.as_dict()
    totals = {name: value for name, value in document.items() if name != "partitions"}
    tables = [rows_table("partitions", document["partitions"]), fields_table("messages", totals)]
    report(document, is_json, *(tables if document["partitions"] else []), completeness_verdict(document))
    if not result.is_complete:
        raise typer.Exit(1)


@check.command()
def health(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only judge: write no row and no state file, send no alert.")
    ] = False,
    is_json: Json = False,
) -> None:
    """Check the whole pipeline and send alerts; exits with 1 if a check fails."""
    from csat.cli.render import alerts_table, health_check_table
    from csat.cli.verdicts import health_verdict
    from csat.monitoring.health_check import judge_health, run_health_check

    found = judge_health(get_settings()) if dry_run else run_health_check(get_settings())
    document = found.as_dict()
    open_alerts = document["open_alerts"]
    alerts = alerts_table(open_alerts) if open_alerts else "no open alerts"
    report(document, is_json, health_check_table(document), alerts, health_verdict(document))
    if not found.is_healthy:
        raise typer.Exit(1)
