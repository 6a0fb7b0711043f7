"""The load jobs of the landing table: BigQuery has a daily limit."""

from datetime import datetime

from csat.bigquery.client import Warehouse
from csat.contract import landing

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
