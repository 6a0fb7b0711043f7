select creation_time
from `{{ region }}`.INFORMATION_SCHEMA.JOBS -- noqa: CP02
where
    job_type = 'LOAD'
    and creation_time >= @since
    and destination_table.dataset_id = @dataset
    and destination_table.table_id = @table
order by creation_time
