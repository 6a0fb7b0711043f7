-- From the responses themselves: the marts have quantiles by hour, and those of a day cannot be
-- made of them. Counting responses by value is fast where sorting a million takes seconds. Buckets
-- are hours since 1970, and become a time last: grouping and sorting by times takes the emulator
-- twice as long. The last row, without a bucket, is the whole range. The quantiles are what
-- percentile_cont gives for the rows behind the counts.
with counted as (
    select
        unix_date(if(@grain = 'week', date_trunc(response_date, week (monday)), response_date)) * 24
        + if(@grain = 'hour', extract(hour from survey_answered_at), 0) as first_hour,
        case @split
            when 'channel' then channel
            when 'category' then if(category in unnest(@named), category, @rest)
            else ''
        end as part,
        first_reply_minutes,
        first_reply_bucket,
        count(*) as response_count,
        countif(is_satisfied) as satisfied_count
    from marts.fct_survey_responses
    where
        response_date between @since and @until
        and (@channel = '' or channel = @channel)
        and (@category = '' or category = @category)
    group by first_hour, part, first_reply_minutes, first_reply_bucket
),

grouped as (
    select *
    from counted

    union all

    select
        null as first_hour,
        null as part,
        first_reply_minutes,
        first_reply_bucket,
        sum(response_count) as response_count,
        sum(satisfied_count) as satisfied_count
    from counted
    group by first_reply_minutes, first_reply_bucket
),

placed as (
    select
        *,
        sum(if(first_reply_minutes is null, 0, response_count))
            over (bucket order by first_reply_minutes)
            as up_to,
        sum(if(first_reply_minutes is null, 0, response_count)) over bucket as total
    from grouped
    window bucket as (partition by first_hour, part)
)

select
    timestamp_add(timestamp '1970-01-01', interval first_hour hour) as bucket,
    part,
    sum(response_count) as response_count,
    sum(satisfied_count) as satisfied_count,
    sum(if(first_reply_bucket = '5 minutes', response_count, 0)) as up_to_5_minutes_count,
    sum(if(first_reply_bucket = '1 hour', response_count, 0)) as up_to_1_hour_count,
    sum(if(first_reply_bucket = '24 hours', response_count, 0)) as up_to_24_hours_count,
    sum(if(first_reply_bucket = 'longer', response_count, 0)) as over_24_hours_count,
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
group by first_hour, part
order by first_hour is null, first_hour, part
