"""`csat marts …`: build the marts, and show what they say with the board's own questions and formats."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from csat.commands.output import report, say
from csat.settings import get_settings

_SERIES_DAYS = 28

app = typer.Typer(help="Build the marts, or show what they say.", no_args_is_help=True)
show = typer.Typer(help="Show the agents, the categories, or the answers over time.", no_args_is_help=True)
app.add_typer(show, name="show")


class Window(StrEnum):
    """The days that a ranking looks back on."""

    WEEK = "7d"
    FOUR_WEEKS = "28d"
    ALL = "all"


class Grain(StrEnum):
    """The length of a bucket of time."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, with every column, and nothing else.")]
WindowOption = Annotated[Window, typer.Option(help="The days that the ranking looks back on.")]
Limit = Annotated[int, typer.Option(min=1, help="Most rows.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="UTC date.")]


@app.command()
def build(
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build all dates anew.")] = False,
    select: Annotated[str | None, typer.Option(help="Only these models, in dbt's words.")] = None,
    is_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Build the marts from what has landed since the last build."""
    from csat.commands.render import fields_table
    from warehouse import marts as parts

    built = parts.build(get_settings(), full_refresh=full_refresh, select=select, on_progress=say)
    document = built.as_dict()
    report(document, is_json, fields_table("marts", document))


@show.command()
def agents(window: WindowOption = Window.FOUR_WEEKS, limit: Limit = 10, is_json: Json = False) -> None:
    """Show the leaderboard: ranked agents first, then those that need more answers."""
    from csat.commands.render_marts import agents_table
    from dashboard.queries import LEADERBOARD, board_dates
    from warehouse.client import Warehouse

    with Warehouse(get_settings()) as warehouse:
        _, last = board_dates(warehouse)
        rows = LEADERBOARD.rows(warehouse, board_date=last, window_id=window.value, row_limit=limit)
    report(rows, is_json, agents_table(rows))


@show.command()
def categories(
    window: WindowOption = Window.FOUR_WEEKS,
    category: Annotated[str, typer.Option(help="The sub-categories of this one.")] = "",
    sub_categories: Annotated[bool, typer.Option("--sub-categories", help="The sub-categories of all.")] = False,
    limit: Limit = 20,
    is_json: Json = False,
) -> None:
    """Show the categories, or sub-categories, the most common first."""
    from csat.commands.render_marts import categories_table
    from dashboard.queries import CATEGORIES, SUB_CATEGORIES, board_dates
    from warehouse.client import Warehouse

    with Warehouse(get_settings()) as warehouse:
        _, last = board_dates(warehouse)
        place: dict[str, Any] = {"board_date": last, "window_id": window.value, "row_limit": limit}
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
    from csat.commands.render_marts import series_table
    from dashboard.queries import RESPONSE_TIMES, SERIES, board_dates
    from dashboard.series import Series, window_start, with_times
    from warehouse.client import Warehouse

    with Warehouse(get_settings()) as warehouse:
        last = until.date() if until else board_dates(warehouse)[1]
        first = since.date() if since else window_start(last, _SERIES_DAYS)
        parameters = Series(first, last, grain.value, channel, category).parameters()
        rows = with_times(SERIES.rows(warehouse, **parameters), RESPONSE_TIMES.rows(warehouse, **parameters))
    report(rows[::-1], is_json, series_table(rows[::-1], grain.value))
