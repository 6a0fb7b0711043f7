"""`csat marts …`: build and verify the marts, and show them with the dashboard's queries and formats."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from csat.cli.names import require_selectable, selector_names
from csat.cli.output import Json, report, report_fields, say
from csat.cli.servers import BIGQUERY, settings_with

_SERIES_DAYS = 28
_ALL = 1_000_000  # more rows than a leaderboard has
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
Select = Annotated[
    str,
    typer.Option(help="Only these models, in dbt's selection syntax; default: all.", autocompletion=selector_names),
]


@app.command()
def build(
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build all dates from scratch.")] = False,
    select: Select = "",
    is_json: Json = False,
) -> None:
    """Build the marts from what has landed since the last build."""
    require_selectable(select)
    settings = settings_with(BIGQUERY)
    from csat.marts import build as marts

    built = marts.build(settings, full_refresh=full_refresh, select=select or None, on_progress=say)
    report_fields("marts", built.as_dict(), is_json)


@app.command()
def rebuild(
    select: Select = "",
    first: Annotated[str, typer.Option("--from", help="First date, such as 2026-11-20; default: all dates.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last date.")] = "",
    is_json: Json = False,
) -> None:
    """Rebuild, even without new data: the dates from --from to --to, or all of them."""
    dates = _dates(first, last)
    require_selectable(select)
    settings = settings_with(BIGQUERY)
    from csat.marts import build as marts

    built = marts.rebuild(settings, dates=dates, select=select or None, on_progress=say)
    report_fields("marts", built.as_dict(), is_json)


@app.command()
def publish(is_json: Json = False) -> None:
    """Test what dbt built when it was run manually, and show it to the readers of the marts."""
    settings = settings_with(BIGQUERY)
    from csat.marts import build as marts

    report_fields("marts", marts.publish_candidate(settings, on_progress=say).as_dict(), is_json)


@app.command()
def reconcile(is_json: Json = False) -> None:
    """Compare the marts with the landing table, fix the dates that differ, and run every test."""
    settings = settings_with(BIGQUERY)
    from csat.cli.render import fields_table, rows_table
    from csat.cli.verdicts import reconcile_verdict
    from csat.marts.reconcile import reconcile as compare

    document = compare(settings, on_progress=say).as_dict()
    totals = {name: value for name, value in document.items() if name != "differences"}
    tables = [rows_table("differences", document["differences"])] if document["differences"] else []
    report(document, is_json, *tables, fields_table("marts", totals), reconcile_verdict(document))


@app.command()
def freshness(is_json: Json = False) -> None:
    """Print the age of the newest response; a stale one is a warning, not a failure."""
    settings = settings_with(BIGQUERY)
    from csat.bigquery.client import Warehouse
    from csat.marts.freshness import source_freshness

    with Warehouse(settings) as warehouse:
        found = source_freshness(warehouse)
    if found.warning:
        say(f"warning: {found.warning}")
    report_fields("freshness", found.as_dict(), is_json)


@show.command()
def agents(
    window: Window = "",
    agent: Annotated[str, typer.Option(help="Only agents with this name or id, or a part of the name.")] = "",
    limit: Limit = 10,
    is_json: Json = False,
) -> None:
    """Show the leaderboard: ranked agents first, then those that need more responses."""
    settings = settings_with(BIGQUERY)
    from csat.bigquery.client import Warehouse
    from csat.cli.render_marts import agents_table
    from csat.reporting.chosen import matching
    from csat.reporting.queries import LEADERBOARD, mart_dates
    from csat.reporting.variables import ranking_window

    chosen = ranking_window(window)
    with Warehouse(settings) as warehouse:
        _, last = mart_dates(warehouse)
        row_limit = _ALL if agent else limit
        rows = LEADERBOARD.rows(warehouse, as_of_date=last, window_id=chosen, row_limit=row_limit)
    rows = matching(rows, agent)[:limit]
    report(rows, is_json, agents_table(rows) if rows else f"no agent has a response in the period {chosen}")


@show.command()
def categories(
    window: Window = "",
    category: Annotated[str, typer.Option(help="Show the sub-categories of this category.")] = "",
    sub_categories: Annotated[bool, typer.Option("--sub-categories", help="Show all sub-categories.")] = False,
    limit: Limit = 20,
    is_json: Json = False,
) -> None:
    """Show the categories, or sub-categories, most common first."""
    settings = settings_with(BIGQUERY)
    from csat.bigquery.client import Warehouse
    from csat.cli.render_marts import categories_table
    from csat.reporting.chosen import require_known
    from csat.reporting.queries import CATEGORIES, SUB_CATEGORIES, mart_dates
    from csat.reporting.variables import ranking_window

    chosen = ranking_window(window)
    with Warehouse(settings) as warehouse:
        first, last = mart_dates(warehouse)
        require_known(warehouse, first, last, category=category)
        place: dict[str, Any] = {"as_of_date": last, "window_id": chosen, "row_limit": limit}
        if category or sub_categories:
            rows = SUB_CATEGORIES.rows(warehouse, category=category, **place)
        else:
            rows = CATEGORIES.rows(warehouse, **place)
    report(rows, is_json, categories_table(rows) if rows else f"no responses in the period {chosen}")


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
    settings = settings_with(BIGQUERY)
    from csat.bigquery.client import Warehouse
    from csat.cli.render_marts import series_table
    from csat.reporting.chosen import require_known
    from csat.reporting.queries import SERIES, mart_dates
    from csat.reporting.series import Series, window_start, with_rates

    with Warehouse(settings) as warehouse:
        first_date, last_date = mart_dates(warehouse)
        require_known(warehouse, first_date, last_date, channel=channel, category=category)
        last = until.date() if until else last_date
        first = since.date() if since else window_start(last, _SERIES_DAYS)
        chosen = Series(first, last, grain.value, channel, category)
        rows = with_rates(SERIES.rows(warehouse, **chosen.parameters()))
    if_none = f"no responses from {first} to {last}"
    report(rows[::-1], is_json, series_table(rows[::-1], grain.value) if rows else if_none)


def _dates(first: str, last: str) -> tuple[date, date] | None:
    if not first and not last:
        return None
    try:
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise typer.BadParameter(f"give both --from and --to, as dates like 2026-11-20: {error}") from error
