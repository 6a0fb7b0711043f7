"""`csat marts …`: build the marts, prove them, and show what they say with the board's own questions and formats."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from csat.cli.output import report, say
from csat.contract.settings import get_settings

_SERIES_DAYS = 28
_DATE = ["%Y-%m-%d"]

app = typer.Typer(help="Build the marts, prove them, or show what they say.", no_args_is_help=True)
show = typer.Typer(help="Show the agents, the categories, or the answers over time.", no_args_is_help=True)
app.add_typer(show, name="show")


class Grain(StrEnum):
    """The length of a bucket of time."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, with every column, and nothing else.")]
Window = Annotated[str, typer.Option(help="Window of the ranking, such as 7d or all; empty: the longest rolling one.")]
Limit = Annotated[int, typer.Option(min=1, help="Most rows.")]
Day = Annotated[datetime | None, typer.Option(formats=_DATE, help="UTC date.")]
Select = Annotated[str, typer.Option(help="Only these models, in dbt's words; empty: all.")]


@app.command()
def build(
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build all dates anew.")] = False,
    select: Select = "",
    is_json: Json = False,
) -> None:
    """Build the marts from what has landed since the last build."""
    from csat.marts import build as marts

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
    from csat.marts import build as marts

    dates = _dates(first, last)
    built = marts.rebuild(get_settings(), dates=dates, select=select or None, on_progress=say)
    _report("marts", built.as_dict(), is_json)


@app.command()
def reconcile(is_json: Json = False) -> None:
    """Compare the marts with the landing table, mend the dates that differ, and test all of it."""
    from csat.cli.render import fields_table, rows_table
    from csat.marts.reconcile import reconcile as compare

    document = compare(get_settings(), on_progress=say).as_dict()
    totals = {name: value for name, value in document.items() if name != "differences"}
    tables = [rows_table("differences", document["differences"])] if document["differences"] else []
    report(document, is_json, *tables, fields_table("marts", totals))


@app.command()
def freshness(is_json: Json = False) -> None:
    """Say how old the newest answer is; a stale one is a warning, not a failure."""
    from csat.bigquery.client import Warehouse
    from csat.marts.freshness import source_freshness

    with Warehouse(get_settings()) as warehouse:
        found = source_freshness(warehouse)
    if found.warning:
        say(f"warning: {found.warning}")
    _report("freshness", found.as_dict(), is_json)


@show.command()
def agents(window: Window = "", limit: Limit = 10, is_json: Json = False) -> None:
    """Show the leaderboard: ranked agents first, then those that need more answers."""
    from csat.bigquery.client import Warehouse
    from csat.cli.render_marts import agents_table
    from csat.reporting.queries import LEADERBOARD, mart_dates
    from csat.reporting.variables import ranking_window

    chosen = ranking_window(window)
    with Warehouse(get_settings()) as warehouse:
        _, last = mart_dates(warehouse)
        rows = LEADERBOARD.rows(warehouse, as_of_date=last, window_id=chosen, row_limit=limit)
    report(rows, is_json, agents_table(rows))


@show.command()
def categories(
    window: Window = "",
    category: Annotated[str, typer.Option(help="The sub-categories of this one.")] = "",
    sub_categories: Annotated[bool, typer.Option("--sub-categories", help="The sub-categories of all.")] = False,
    limit: Limit = 20,
    is_json: Json = False,
) -> None:
    """Show the categories, or sub-categories, the most common first."""
    from csat.bigquery.client import Warehouse
    from csat.cli.render_marts import categories_table
    from csat.reporting.queries import CATEGORIES, SUB_CATEGORIES, mart_dates
    from csat.reporting.variables import ranking_window

    chosen = ranking_window(window)
    with Warehouse(get_settings()) as warehouse:
        _, last = mart_dates(warehouse)
        place: dict[str, Any] = {"as_of_date": last, "window_id": chosen, "row_limit": limit}
        if category or sub_categories:
            rows = SUB_CATEGORIES.rows(warehouse, category=category, **place)
        else:
            rows = CATEGORIES.rows(warehouse, **place)
    report(rows, is_json, categories_table(rows))


@show.command()
def series(
    grain: Annotated[Grain, typer.Option(help="Length of a bucket.")] = Grain.DAY,
    since: Day = None,
    until: Day = None,
    channel: Annotated[str, typer.Option(help="One channel.")] = "",
    category: Annotated[str, typer.Option(help="One category.")] = "",
    is_json: Json = False,
) -> None:
    """Show answers, CSAT and response time by hour, day or week, the newest first: of 28 days unless told otherwise."""
    from csat.bigquery.client import Warehouse
    from csat.cli.render_marts import series_table
    from csat.reporting.queries import SERIES, mart_dates
    from csat.reporting.series import Series, window_start, with_rates

    with Warehouse(get_settings()) as warehouse:
        last = until.date() if until else mart_dates(warehouse)[1]
        first = since.date() if since else window_start(last, _SERIES_DAYS)
        asked = Series(first, last, grain.value, channel, category)
        rows = with_rates(SERIES.rows(warehouse, **asked.parameters()))
    report(rows[::-1], is_json, series_table(rows[::-1], grain.value))


def _dates(first: str, last: str) -> tuple[date, date] | None:
    if not first and not last:
        return None
    try:
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise typer.BadParameter(f"--from and --to go together, as dates like 2026-11-20: {error}") from error


def _report(title: str, document: dict[str, Any], is_json: bool) -> None:
    from csat.cli.render import fields_table

    report(document, is_json, fields_table(title, document))
