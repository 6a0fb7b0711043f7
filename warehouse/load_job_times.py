"""The load jobs that the landing table has had: BigQuery takes so many a day and no more."""

from datetime import datetime

from csat import landing
from warehouse.client import Warehouse

_SQL = """
    select creation_time
    from `region-{location}`.INFORMATION_SCHEMA.JOBS
    where job_type = 'LOAD'
        and creation_time >= @since
        and starts_with(job_id, @prefix)
    order by creation_time
"""


def load_job_times(warehouse: Warehouse, since: datetime) -> list[datetime]:
    """When the load jobs into the landing table were submitted, failed ones included. Raises WarehouseError."""
    sql = _SQL.format(location=warehouse.settings.location.lower())
    return [row["creation_time"] for row in warehouse.rows(sql, since=since, prefix=landing.LOAD_JOB_PREFIX)]
