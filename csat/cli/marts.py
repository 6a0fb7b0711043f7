"""`csat marts …`: build and verify the marts, and show them with the dashboard's queries and formats."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from csat.cli.output import Json, report, report_fields, say
from csat.contract.settings import get_settings

_SERIES_DAYS = 28
_DATE = ["%Y-%m-%d"]

app = typer.Typer(help="Build, verify or show the marts.", no_args_is_help=True)
show = typer.Typer(help="Show agents, categories, or responses over time.", no_args_is_help=True)
app.add_typer(show, name="show")


class Grain(StrEnum):
    """The length of a time bucket."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


Window = Annotated[str, typer.Option(help="Period, such as 7d or all; default: the longest rolling one.")]
Limit = Annotated[int, typer.Option(min=1, help="Maximum rows.")]
Day = Annotated[datetime | None, typer.Option(formats=_DATE, help="UTC date.")]
Select = Annotated[str, typer.Option(help="Only these models, in dbt's selection syntax; default: all.")]


@app.command()
def build(
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build all dates from scratch.")] = False,
    select: Select = "",
    is_json: Json = False,
) -> None:
    """Build the marts from what has landed since the last build."""
    from csat.marts import build as marts

    built = marts.build(get_settings(), full_refresh=full_refresh, select=select or None, on_progress=say)
    report_fields("marts", built.as_dict(), is_json)


@app.command()
def rebuild(
    select: Select = "",
    first: Annotated[str, typer.Option("--from", help="First date, such as 2026-11-20; default: all dates.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last date.")] = "",
    is_json: Json = False,
) -> None:
    """Rebuild, even without new data: the dates from --from to --to, or all of them."""
    from csat.marts import build as marts

    dates = _dates(first, last)
    built = marts.rebuild(get_settings(), dates=dates, select=select or None, on_progress=say)
    report_fields("marts", built.as_dict(), is_json)


@app.command()
def publish(is_json: Json = False) -> None:
    """Test what dbt built when it was run manually, and show it to the readers of the marts."""
    from csat.marts import build as marts

    report_fields("marts", marts.publish_candidate(get_settings(), on_progress=say).as_dict(), is_json)


@app.command()
def reconcile(is_json: Json = False) -> None:
    """Compare the marts with the landing table, fix the dates that differ, and run every test."""
    from csat.cli.render import fields_table, rows_table
    from csat.marts.reconcile import reconcile as compare

    document = compare(get_settings(), on_progress=say).as_dict()
    totals = {name: value for name, value in document.items() if name != "differences"}
    tables = [rows_table("differences", document["differences"])] if document["differences"] else []
    report(document, is_json, *tables, fields_table("marts", totals))


@app.command()
def freshness(is_json: Json = False) -> None:
    """Print the age of the newest response; a stale one is a warning, not a failure."""
    from csat.bigquery.client import Warehouse
    from csat.marts.freshness import source_freshness

    with Warehouse(get_settings()) as warehouse:
        found = source_freshness(warehouse)
    if found.warning:
        say(f"warning: {found.warning}")
    report_fields("freshness", found.as_dict(), is_json)


@show.command()
def agents(window: Window = "", limit: Limit = 10, is_json: Json = False) -> None:
    """Show the leaderboard: ranked agents first, then those that need more responses."""
    from csat.bigquery.client import Warehouse
    from csat.cli.render_marts import agents_table
    from csat.reporting.comparison import comparable
    from csat.reporting.queries import LEADERBOARD, mart_dates
    from csat.reporting.variables import ranking_window

    chosen = ranking_window(window)
    with Warehouse(get_settings()) as warehouse:
        first, last = mart_dates(warehouse)
        rows = LEADERBOARD.rows(warehouse, as_of_date=last, window_id=chosen, row_limit=limit)
    rows = comparable(rows, chosen, first, last)
    report(rows, is_json, agents_table(rows))


@show.command()
def categories(
    window: Window = "",
    category: Annotated[str, typer.Option(help="Show the sub-categories of this category.")] = "",
    sub_categories: Annotated[bool, typer.Option("--sub-categories", help="Show all sub-categories.")] = False,
    limit: Limit = 20,
    is_json: Json = False,
) -> None:
    """Show the categories, or sub-categories, most common first."""
    from csat.bigquery.client import Warehouse
    from csat.cli.render_marts import categories_table
    from csat.reporting.comparison import comparable
    from csat.reporting.queries import CATEGORIES, SUB_CATEGORIES, mart_dates
    from csat.reporting.variables import ranking_window

    chosen = ranking_window(window)
    with Warehouse(get_settings()) as warehouse:
        first, last = mart_dates(warehouse)
        place: dict[str, Any] = {"as_of_date": last, "window_id": chosen, "row_limit": limit}
        if category or sub_categories:
            rows = SUB_CATEGORIES.rows(warehouse, category=category, **place)
        else:
            rows = CATEGORIES.rows(warehouse, **place)
    rows = comparable(rows, chosen, first, last)
    report(rows, is_json, categories_table(rows))


@show.command()
def series(
    grain: Annotated[Grain, typer.Option(help="Length of a bucket.")] = Grain.DAY,
    since: Day = None,
    until: Day = None,
    channel: Annotated[str, typer.Option(help="Only this channel.")] = "",
    category: Annotated[str, typer.Option(help="Only this category.")] = "",
    is_json: Json = False,
) -> None:
    """Show responses, CSAT and first reply time by hour, day or week, newest first; default: the last 28 days."""
    from csat.bigquery.client import Warehouse
    from csat.cli.render_marts import series_table
    from csat.reporting.queries import SERIES, mart_dates
    from csat.reporting.series import Series, window_start, with_rates

    with Warehouse(get_settings()) as warehouse:
        last = until.date() if until else mart_dates(warehouse)[1]
        first = since.date() if since else window_start(last, _SERIES_DAYS)
        chosen = Series(first, last, grain.value, channel, category)
        rows = with_rates(SERIES.rows(warehouse, **chosen.parameters()))
    report(rows[::-1], is_json, series_table(rows[::-1], grain.value))


def _dates(first: str, last: str) -> tuple[date, date] | None:
    if not first and not last:
        return None
    try:
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise typer.BadParameter(f"give both --from and --to, as dates like 2026-11-20: {error}") from error
