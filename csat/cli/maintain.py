"""`csat maintain …`: delete what is old. Each may be run at any time, and twice."""

from typing import Annotated, Any

import typer

from csat.cli.output import report
from csat.contract.settings import get_settings

app = typer.Typer(help="Delete what is old; safe at any time.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Days = Annotated[int, typer.Option(min=1, help="Only what is older than so many days.")]
Hours = Annotated[int, typer.Option(min=1, help="Only what is older than so many hours.")]


def _report(title: str, document: dict[str, Any], is_json: bool) -> None:
    from csat.cli.render import fields_table

    report(document, is_json, fields_table(title, document))


@app.command()
def airflow(days: Days = 30, is_json: Json = False) -> None:
    """Delete Airflow's old runs, tasks and logs."""
    from csat.local.housekeeping import clean_airflow

    _report("airflow", clean_airflow(get_settings(), days), is_json)


@app.command()
def staging(days: Days = 7, is_json: Json = False) -> None:
    """Delete staging files that no load took."""
    from csat.local.housekeeping import clean_staging

    _report("staging", clean_staging(get_settings(), days), is_json)


@app.command()
def emulator_jobs(
    hours: Hours = 6,
    limit: Annotated[int, typer.Option(min=1, help="Most jobs, the oldest first.")] = 20_000,
    is_json: Json = False,
) -> None:
    """Delete the emulator's finished jobs, but never the stream's load jobs."""
    from csat.local.emulator_housekeeping import delete_emulator_jobs

    _report("emulator jobs", delete_emulator_jobs(get_settings(), hours, limit), is_json)


@app.command()
def dbt(days: Days = 14, is_json: Json = False) -> None:
    """Delete what dbt compiled and logged long ago."""
    from csat.local.emulator_housekeeping import delete_dbt_files

    _report("dbt", delete_dbt_files(get_settings(), days), is_json)


@app.command()
def scratch(hours: Hours = 24, is_json: Json = False) -> None:
    """Delete dbt's expired scratch tables."""
    from csat.local.emulator_housekeeping import delete_scratch_tables

    _report("scratch", delete_scratch_tables(get_settings(), hours), is_json)
