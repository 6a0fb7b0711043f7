-- The last failure since the build that is shown: of a test, or of a model.
with failures as (
    select
        'test' as kind,
        test as name,
        model,
        started_at
    from ops.dbt_tests
    where status in ('fail', 'error')
    union all
    select
        'model' as kind,
        model as name,
        model,
        started_at
    from ops.dbt_runs
    where status = 'error'
)

select
    kind,
    name,
    model,
    started_at as failed_at
from failures
where started_at > (select max(built_at) from ops.mart_builds)
order by started_at desc
limit 1
