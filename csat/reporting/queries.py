"""Every query of the dashboard and of `csat marts show`: the files of `sql/`, with named parameters.

Dates come in as parameters, never as a subquery, so that BigQuery reads their partitions only: first query the
marts' dates, then their rows. An empty text or list stands for "all".
"""

from datetime import date
from pathlib import Path

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query
from csat.contract.errors import CsatError

QUERIES = {file.stem: Query(file.read_text()) for file in sorted((Path(__file__).parent / "sql").glob("*.sql"))}

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
FAILED_SINCE = QUERIES["failed_since"]

# Every page
OPEN_ALERTS = QUERIES["open_alerts"]


def mart_dates(warehouse: Warehouse) -> tuple[date, date]:
    """The first and the last date of the marts. Raises CsatError if there are none, and WarehouseError."""
    if LAST_BUILD.rows(warehouse):
        [dates] = DATES.rows(warehouse)
        if dates["last_date"]:
            return dates["first_date"], dates["last_date"]
    raise CsatError("The marts have not been built", "csat marts build")
