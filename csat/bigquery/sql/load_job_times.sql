select creation_time
from `{{ region }}`.INFORMATION_SCHEMA.JOBS -- noqa: CP02
where
    job_type = 'LOAD'
    and creation_time >= @since
    and starts_with(job_id, @prefix)
order by creation_time
