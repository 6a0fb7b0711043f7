-- stream_uptime holds the age of the current run: checks of one run agree on its start.
with checks as (
    select
        checked_at,
        timestamp_trunc(
            timestamp_micros(unix_micros(checked_at) - cast(value * 1000000 as int64) + 500000),
            second
        ) as started_at
    from ops.pipeline_health_checks
    where checked_at >= @since and check = 'stream_uptime' and value is not null
)

select
    started_at,
    max(checked_at) as last_seen_at,
    count(*) as check_count
from checks
group by started_at
order by started_at desc
