{{
    config(
        materialized='incremental',
        partition_by={'field': 'response_date', 'data_type': 'date'},
        partitions=touched_dates(var('smoothing_days')) or none,
        cluster_by=['channel', 'category'],
    )
}}

with hourly_counts as (

    select * from {{ ref('agg_response_hourly') }}
    {%- if is_incremental() %}
    {%- set dates = dates_to_build(var('smoothing_days')) %}
    where
        response_date between
        date_sub(
            least(
                {{ dates | join(',\n                ') }}
            ),
            interval {{ var('smoothing_days') }} day
        )
        and greatest(
            {{ dates | join(',\n            ') }}
        )
    {%- endif %}

),

responses as (

    select * from {{ ref('fct_survey_responses') }}
    {%- if is_incremental() %}
    where
        response_date in (
            {{ dates_to_build(var('smoothing_days')) | join(',\n            ') }}
        )
    {%- endif %}

),

smoothed_counts as (

    select
        *,
        sum(response_count) over smoothing_window as smoothed_response_count,
        sum(satisfied_count) over smoothing_window as smoothed_satisfied_count
    from hourly_counts
    window
        smoothing_window as (
            partition by channel, category
            order by div(unix_seconds(response_hour), 3600)
            range between
            {{ 24 * var('smoothing_days') | int - 1 }} preceding and current row
        )

),

first_reply_times as (

    select distinct
        timestamp_trunc(survey_answered_at, hour) as response_hour,
        channel,
        category,
        percentile_cont(first_reply_minutes, 0.5) over (
            partition by
                timestamp_trunc(survey_answered_at, hour), channel, category
        ) as median_first_reply_minutes,
        percentile_cont(first_reply_minutes, 0.9) over (
            partition by
                timestamp_trunc(survey_answered_at, hour), channel, category
        ) as p90_first_reply_minutes
    from responses

),

final as (

    select
        smoothed_counts.response_date,
        smoothed_counts.response_hour,
        smoothed_counts.channel,
        smoothed_counts.category,
        smoothed_counts.response_count,
        smoothed_counts.satisfied_count,
        smoothed_counts.satisfied_count
        / smoothed_counts.response_count as csat_rate,
        smoothed_counts.up_to_5_minutes_count,
        smoothed_counts.up_to_1_hour_count,
        smoothed_counts.up_to_24_hours_count,
        smoothed_counts.over_24_hours_count,
        smoothed_counts.unknown_first_reply_count,
        first_reply_times.median_first_reply_minutes,
        first_reply_times.p90_first_reply_minutes,
        smoothed_counts.smoothed_response_count
        / {{ 24 * var('smoothing_days') | int }} as smoothed_response_count,
        smoothed_counts.smoothed_satisfied_count
        / smoothed_counts.smoothed_response_count as smoothed_csat_rate
    from smoothed_counts
    -- Has only the dates to build, and so determines the hours of the result.
    inner join first_reply_times
        on
            smoothed_counts.response_hour = first_reply_times.response_hour
            and smoothed_counts.channel = first_reply_times.channel
            and smoothed_counts.category = first_reply_times.category

)

select * from final
