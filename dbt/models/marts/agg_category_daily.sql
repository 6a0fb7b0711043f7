{{
    config(
        materialized='incremental',
        partition_by={'field': 'response_date', 'data_type': 'date'},
        partitions=touched_dates() or none,
        cluster_by=['category', 'sub_category'],
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

daily_counts as (

    select
        response_date,
        category,
        sub_category,
        {{ additive_counts() }}
    from responses
    group by response_date, category, sub_category

)

select * from daily_counts
