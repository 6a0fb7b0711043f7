"""Every query of the dashboard and of `csat marts show`: the files of `sql/`, with named parameters.

Dates come in as parameters, never as a subquery, so that BigQuery reads their partitions only: first query the
marts' dates, then their rows. An empty text or list stands for "all".
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self, cast

from csat.bigquery.client import Warehouse
from csat.contract.settings import Settings

Rows = list[dict[str, Any]]

_FOLDER = Path(__file__).parent / "sql"
_TABLE = re.compile(r"\b(marts|ops)\.(\w+)")


class NoMartsError(Exception):
    """The marts were never built; the message names the command."""


@dataclass(frozen=True)
class Query:
    """A statement that names its tables by the role of their dataset: `marts.name` or `ops.name`."""

    text: str

    @classmethod
    def read(cls, name: str) -> Self:
        """The query of this file of `sql/`."""
        return cls((_FOLDER / f"{name}.sql").read_text())

    def sql(self, settings: Settings) -> str:
        """The statement with full table names."""

        def full(found: re.Match[str]) -> str:
            role = cast("Literal['marts', 'ops']", found[1])
            return f"`{settings.table(role, found[2])}`"

        return _TABLE.sub(full, self.text)

    def tables(self, role: Literal["marts", "ops"]) -> set[str]:
        """The tables that the statement reads in this dataset."""
        return {name for found, name in _TABLE.findall(self.text) if found == role}

    def rows(self, warehouse: Warehouse, **parameters: Any) -> Rows:
        """The rows. Raises WarehouseError."""
        return warehouse.rows(self.sql(warehouse.settings), **parameters)


QUERIES = {file.stem: Query.read(file.stem) for file in sorted(_FOLDER.glob("*.sql"))}

DATES = QUERIES["dates"]

# Agents
LEADERBOARD = QUERIES["leaderboard"]
AGENT = QUERIES["agent"]
AGENT_LEADERBOARDS = QUERIES["agent_leaderboards"]
AGENT_MIX = QUERIES["agent_mix"]

# Categories
CATEGORIES = QUERIES["categories"]
SUB_CATEGORIES = QUERIES["sub_categories"]
CATEGORY_DAYS = QUERIES["category_days"]

# Over time
CHOICES = QUERIES["choices"]
SERIES = QUERIES["series"]
FIRST_REPLY_TIME = QUERIES["first_reply_time"]

# Overview
DAYS = QUERIES["days"]
DAYS_UP_TO = QUERIES["days_up_to"]

# Pipeline
OUTCOMES = QUERIES["outcomes"]
BUILDS = QUERIES["builds"]
LAST_HEALTH_CHECK = QUERIES["last_health_check"]
STREAM_RUNS = QUERIES["stream_runs"]
ALERTS = QUERIES["alerts"]
LAST_BUILD = QUERIES["last_build"]


def mart_dates(warehouse: Warehouse) -> tuple[date, date]:
    """The first and the last date of the marts. Raises NoMartsError and WarehouseError."""
    if LAST_BUILD.rows(warehouse):
        [dates] = DATES.rows(warehouse)
        if dates["last_date"]:
            return dates["first_date"], dates["last_date"]
    raise NoMartsError("The marts have not been built, fix: csat marts build")
