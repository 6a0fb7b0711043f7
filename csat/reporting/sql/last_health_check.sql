select
    checked_at,
    check,
    grade,
    detail
from ops.pipeline_health_checks
where checked_at >= @since
qualify checked_at = max(checked_at) over ()
order by grade in ('ok', 'skipped'), check
