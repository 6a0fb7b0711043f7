"""The load jobs of the landing table: BigQuery has a daily limit."""

from datetime import datetime

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query
from csat.contract import landing

_JOBS = Query.read(__file__, "load_job_times")


def load_job_times(warehouse: Warehouse, since: datetime) -> list[datetime]:
    """When the load jobs into the landing table were submitted, failed ones included. Raises WarehouseError."""
    jobs = _JOBS.filled(region=f"region-{warehouse.settings.location.lower()}")
    return [row["creation_time"] for row in jobs.rows(warehouse, since=since, prefix=landing.LOAD_JOB_PREFIX)]
