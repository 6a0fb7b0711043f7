{{
    config(
        materialized='incremental',
        partition_by={'field': 'response_date', 'data_type': 'date'},
        partitions=touched_dates() or none,
        cluster_by=['agent_id'],
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

agents as (

    select
        response_date,
        agent_id,
        agent_name,
        supervisor_name,
        manager_name,
        tenure_bucket,
        shift,
        count(*) over agent_date as response_count,
        min(survey_answered_at) over agent_date as first_response_at,
        survey_answered_at as last_response_at
    from responses
    qualify
        row_number() over (
            partition by response_date, agent_id
            order by survey_answered_at desc, response_id
        ) = 1
    window agent_date as (partition by response_date, agent_id)

)

select * from agents
