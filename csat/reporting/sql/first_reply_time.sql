with counted as (
    select
        first_reply_minutes,
        count(*) as response_count
    from marts.fct_survey_responses
    where response_date between @since and @until and first_reply_minutes is not null
    group by first_reply_minutes
),

placed as (
    select
        first_reply_minutes,
        sum(response_count) over (order by first_reply_minutes) as up_to,
        sum(response_count) over () as total
    from counted
)

select
    min(if(up_to > floor((total - 1) * 0.5), first_reply_minutes, null))
    + any_value((total - 1) * 0.5 - floor((total - 1) * 0.5))
    * (
        min(if(up_to > ceil((total - 1) * 0.5), first_reply_minutes, null))
        - min(if(up_to > floor((total - 1) * 0.5), first_reply_minutes, null))
    ) as median_first_reply_minutes,
    min(if(up_to > floor((total - 1) * 0.9), first_reply_minutes, null))
    + any_value((total - 1) * 0.9 - floor((total - 1) * 0.9))
    * (
        min(if(up_to > ceil((total - 1) * 0.9), first_reply_minutes, null))
        - min(if(up_to > floor((total - 1) * 0.9), first_reply_minutes, null))
    ) as p90_first_reply_minutes
from placed
