"""What `csat marts show` reads: the marts' own rows of the latest date, best first. No figure is computed here."""

from typing import Any

from warehouse.client import Warehouse
from warehouse.mart_variables import ALL_TIME, window_days


class UnknownWindowError(Exception):
    """No ranking has this window; the message names those that there are."""


_LEADERBOARD_SQL = """
select * from `{table}`
where leaderboard_date = (select max(leaderboard_date) from `{table}`) and window_id = @window_id
order by leaderboard_rank is null, leaderboard_rank, answer_count desc, agent_id
limit @row_limit
"""
_CATEGORIES_SQL = """
select * from `{table}`
where ranking_date = (select max(ranking_date) from `{table}`)
    and window_id = @window_id
    and (sub_category is not null) = @is_sub_category
order by volume_rank
limit @row_limit
"""
_SERIES_SQL = """
select * from `{table}`
where answered_date = (select max(answered_date) from `{table}`)
order by response_hour desc, channel, category
limit @row_limit
"""


def leaderboard(warehouse: Warehouse, window: str = "", limit: int = 10) -> list[dict[str, Any]]:
    """Rows of agent_leaderboard, by rank; the agents without one come last. Raises UnknownWindowError."""
    table = warehouse.settings.table("marts", "agent_leaderboard")
    return warehouse.rows(_LEADERBOARD_SQL.format(table=table), window_id=_window(window), row_limit=limit)


def categories(
    warehouse: Warehouse, window: str = "", limit: int = 10, *, sub_categories: bool = False
) -> list[dict[str, Any]]:
    """Rows of category_ranking, by volume: the categories, or the sub-categories. Raises UnknownWindowError."""
    table = warehouse.settings.table("marts", "category_ranking")
    return warehouse.rows(
        _CATEGORIES_SQL.format(table=table), window_id=_window(window), is_sub_category=sub_categories, row_limit=limit
    )


def series(warehouse: Warehouse, limit: int = 10) -> list[dict[str, Any]]:
    """Rows of response_series, the latest hour first."""
    table = warehouse.settings.table("marts", "response_series")
    return warehouse.rows(_SERIES_SQL.format(table=table), row_limit=limit)


def _window(name: str) -> str:
    """The window of this name; the longest rolling one for an empty name."""
    rolling = list(window_days())
    if name and name not in {*rolling, ALL_TIME}:
        raise UnknownWindowError(f"no window {name!r}, fix: name one of {', '.join([*rolling, ALL_TIME])}")
    return name or rolling[-1]
