"""`csat marts …`: build the marts, prove them, show what they say."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import typer

from csat.commands.output import report, say
from csat.settings import get_settings

app = typer.Typer(help="Build the marts, prove them, or show what they say.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Select = Annotated[str, typer.Option(help="Only these models, in dbt's words; empty: all.")]


class Mart(StrEnum):
    """What `csat marts show` shows."""

    LEADERBOARD = "leaderboard"
    CATEGORIES = "categories"
    SERIES = "series"


@app.command()
def build(
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build all dates anew.")] = False,
    select: Select = "",
    is_json: Json = False,
) -> None:
    """Build the marts from what has landed since the last build."""
    from warehouse import marts

    built = marts.build(get_settings(), full_refresh=full_refresh, select=select or None, on_progress=say)
    _report("marts", built.as_dict(), is_json)


@app.command()
def rebuild(
    select: Select = "",
    first: Annotated[str, typer.Option("--from", help="First answer date, as 2026-11-20; empty: all dates.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last answer date.")] = "",
    is_json: Json = False,
) -> None:
    """Build anew, whether something came or not: the dates from --from to --to, or all of them."""
    from warehouse import marts

    dates = _dates(first, last)
    built = marts.rebuild(get_settings(), dates=dates, select=select or None, on_progress=say)
    _report("marts", built.as_dict(), is_json)


@app.command()
def reconcile(is_json: Json = False) -> None:
    """Compare the marts with the landing table, mend the dates that differ, and test all of it."""
    from csat.commands.render import fields_table, rows_table
    from warehouse.reconcile import reconcile as compare

    document = compare(get_settings(), on_progress=say).as_dict()
    totals = {name: value for name, value in document.items() if name != "differences"}
    tables = [rows_table("differences", document["differences"])] if document["differences"] else []
    report(document, is_json, *tables, fields_table("marts", totals))


@app.command()
def freshness(is_json: Json = False) -> None:
    """Say how old the newest answer is; a stale one is a warning, not a failure."""
    from warehouse.client import Warehouse
    from warehouse.freshness import source_freshness

    with Warehouse(get_settings()) as warehouse:
        found = source_freshness(warehouse)
    if found.warning:
        say(f"warning: {found.warning}")
    _report("freshness", found.as_dict(), is_json)


@app.command()
def show(
    mart: Mart,
    window: Annotated[str, typer.Option(help="Window of a ranking, such as 7d or all; empty: the longest.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most rows.")] = 10,
    is_json: Json = False,
) -> None:
    """Show the agents, the categories or the responses over time."""
    from csat.commands.render import mart_table
    from warehouse import mart_queries
    from warehouse.client import Warehouse

    with Warehouse(get_settings()) as warehouse:
        match mart:
            case Mart.LEADERBOARD:
                rows = mart_queries.leaderboard(warehouse, window, limit)
            case Mart.CATEGORIES:
                rows = mart_queries.categories(warehouse, window, limit)
            case Mart.SERIES:
                rows = mart_queries.series(warehouse, limit)
    report(rows, is_json, mart_table(mart, rows))


def _dates(first: str, last: str) -> tuple[date, date] | None:
    if not first and not last:
        return None
    try:
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise typer.BadParameter(f"--from and --to go together, as dates like 2026-11-20: {error}") from error


def _report(title: str, document: dict[str, Any], is_json: bool) -> None:
    from csat.commands.render import fields_table

    report(document, is_json, fields_table(title, document))
