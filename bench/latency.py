"""How long a live event takes until a query can see it: from its answer to the end of the load job that landed it."""

from dataclasses import dataclass

from csat import landing
from warehouse.client import Warehouse

_SQL = """
    with jobs as (
        select job_id, end_time
        from `region-{location}`.INFORMATION_SCHEMA.JOBS
        where job_type = 'LOAD' and state = 'DONE' and starts_with(job_id, '{prefix}')
    ),

    batches as ( -- the last attempt is the one that landed the batch
        select regexp_extract(job_id, r'^{prefix}(.+)-a[0-9]+$') as batch_id, max(end_time) as landed_at
        from jobs
        group by batch_id
    ),

    waits as (
        select timestamp_diff(batches.landed_at, answers.survey_answered_at, millisecond) / 1000 as seconds
        from `{table}` as answers
        inner join batches on answers.batch_id = batches.batch_id
        where answers.rejection_reason is null
    )

    select count(*) as event_count, approx_quantiles(seconds, 100) as quantiles from waits
"""


@dataclass(frozen=True)
class Latency:
    """Seconds from event to landing, over so many events."""

    events: int
    p50: float
    p95: float
    longest: float


def landing_latency(warehouse: Warehouse) -> Latency:
    """The latency of all events that have landed; they must have been live ones. Raises WarehouseError."""
    settings = warehouse.settings
    table = settings.table("raw", landing.TABLE)
    sql = _SQL.format(location=settings.location.lower(), prefix=landing.LOAD_JOB_PREFIX, table=table)
    [row] = warehouse.rows(sql)
    quantiles = [round(seconds, 2) for seconds in row["quantiles"]]
    return Latency(row["event_count"], quantiles[50], quantiles[95], quantiles[-1])
