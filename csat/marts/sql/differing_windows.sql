-- The responses of each ranking: all responses of the days in its window.
with days as (
    select
        response_date,
        count(*) as response_count
    from marts.fct_survey_responses
    group by response_date
),

span as (
    select
        min(response_date) as first_date,
        max(response_date) as last_date
    from days
),

calendar as (
    select as_of_date
    from span
    cross join unnest(generate_date_array(span.first_date, span.last_date)) as as_of_date
),

expected as (
    select
        calendar.as_of_date as response_date,
        sum(days.response_count) as response_count
    from calendar
    inner join days
        on
            days.response_date
            between date_sub(calendar.as_of_date, interval @days - 1 day) and calendar.as_of_date
    group by calendar.as_of_date
),

found as (
    select
        {{ date }} as response_date,
        sum(response_count) as response_count
    from {{ mart }}
    where window_id = @window_id and {{ condition }}
    group by {{ date }}
)

select
    coalesce(expected.response_date, found.response_date) as response_date,
    expected.response_count as expected_count,
    found.response_count as found_count
from expected
full outer join found on expected.response_date = found.response_date
where expected.response_count is distinct from found.response_count
order by response_date
