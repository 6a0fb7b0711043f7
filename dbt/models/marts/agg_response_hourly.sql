{{
    config(
        materialized='incremental',
        partition_by={'field': 'response_date', 'data_type': 'date'},
        partitions=touched_dates() or none,
        cluster_by=['channel', 'category'],
    )
}}

with responses as (

    select * from {{ ref('fct_survey_responses') }}
    {%- if is_incremental() %}
    where
        response_date in (
            {{ dates_to_build() | join(',\n            ') }}
        )
    {%- endif %}

),

hourly_counts as (

    select
        response_date,
        timestamp_trunc(survey_answered_at, hour) as response_hour,
        channel,
        category,
        {{ additive_counts() }}
    from responses
    group by response_date, response_hour, channel, category

)

select * from hourly_counts
