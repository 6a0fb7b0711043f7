"""How many load jobs the landing table has had: BigQuery takes so many a day and no more."""

from datetime import datetime

from csat import landing
from warehouse.client import Warehouse

_SQL = """
    select count(*) as job_count
    from `region-{location}`.INFORMATION_SCHEMA.JOBS
    where job_type = 'LOAD'
        and creation_time >= @since
        and starts_with(job_id, @prefix)
"""


def load_job_count(warehouse: Warehouse, since: datetime) -> int:
    """Load jobs into the landing table since then, failed ones included. Raises WarehouseError."""
    sql = _SQL.format(location=warehouse.settings.location.lower())
    [row] = warehouse.rows(sql, since=since, prefix=landing.LOAD_JOB_PREFIX)
    return int(row["job_count"])
