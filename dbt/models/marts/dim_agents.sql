{{ config(cluster_by=['agent_id']) }}

with responses as (

    select * from {{ ref('fct_survey_responses') }}

),

agents as (

    select
        agent_id,
        agent_name,
        supervisor_name,
        manager_name,
        tenure_bucket,
        shift,
        count(*) over (partition by agent_id) as answer_count,
        min(survey_answered_at) over (
            partition by agent_id
        ) as first_answered_at,
        survey_answered_at as last_answered_at
    from responses
    qualify
        row_number() over (
            partition by agent_id
            order by survey_answered_at desc, response_id
        ) = 1

)

select * from agents
