"""`csat maintain …`: delete old data. Every command is idempotent and may run at any time."""

from typing import Annotated

import typer

from csat.cli.output import Json, report_fields
from csat.cli.servers import BIGQUERY, settings_with
from csat.contract.settings import get_settings

app = typer.Typer(help="Delete old data; safe at any time.", no_args_is_help=True)

Days = Annotated[int, typer.Option(min=1, help="Only what is older than N days.")]
Hours = Annotated[int, typer.Option(min=1, help="Only what is older than N hours.")]


@app.command()
def airflow(days: Days = 30, is_json: Json = False) -> None:
    """Delete Airflow's old runs, tasks and logs."""
    from csat.local.housekeeping import clean_airflow

    report_fields("airflow", clean_airflow(get_settings(), days), is_json)


@app.command()
def staging(days: Days = 7, is_json: Json = False) -> None:
    """Delete staging files that no load job used."""
    from csat.local.housekeeping import clean_staging

    report_fields("staging", clean_staging(get_settings(), days), is_json)


@app.command()
def emulator_jobs(
    hours: Hours = 6,
    limit: Annotated[int, typer.Option(min=1, help="Maximum jobs, oldest first.")] = 20_000,
    is_json: Json = False,
) -> None:
    """Delete the emulator's finished jobs, never the stream's load jobs."""
    settings = settings_with(BIGQUERY)
    from csat.local.emulator_housekeeping import delete_emulator_jobs

    report_fields("emulator jobs", delete_emulator_jobs(settings, hours, limit), is_json)


@app.command()
def dbt(days: Days = 14, is_json: Json = False) -> None:
    """Delete dbt's old compiled files and logs."""
    from csat.local.emulator_housekeeping import delete_dbt_files

    report_fields("dbt", delete_dbt_files(get_settings(), days), is_json)


@app.command()
def scratch(hours: Hours = 24, is_json: Json = False) -> None:
    """Delete dbt's expired scratch tables."""
    settings = settings_with(BIGQUERY)
    from csat.local.emulator_housekeeping import delete_scratch_tables

    report_fields("scratch", delete_scratch_tables(settings, hours), is_json)
