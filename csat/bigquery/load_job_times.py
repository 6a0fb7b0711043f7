"""The load jobs of the landing table: BigQuery has a daily limit for each table."""

from datetime import datetime

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query
from csat.contract import landing

_JOBS = Query.read(__file__, "load_job_times")


def load_job_times(warehouse: Warehouse, since: datetime) -> list[datetime]:
    """When load jobs into the landing table were submitted, failed ones included. Raises WarehouseError."""
    settings = warehouse.settings
    jobs = _JOBS.filled(region=f"region-{settings.location.lower()}")
    rows = jobs.rows(warehouse, since=since, dataset=settings.dataset("raw"), table=landing.TABLE)
    return [row["creation_time"] for row in rows]
