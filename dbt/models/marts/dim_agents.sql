{{ config(cluster_by=['agent_id']) }}

with agents_dated as (

    select * from {{ ref('int_agents_dated') }}

),

agents as (

    select
        agent_id,
        agent_name,
        supervisor_name,
        manager_name,
        tenure_bucket,
        shift,
        sum(response_count) over agent as response_count,
        min(first_response_at) over agent as first_response_at,
        last_response_at
    from agents_dated
    qualify
        row_number() over (
            partition by agent_id
            order by response_date desc
        ) = 1
    window agent as (partition by agent_id)

)

select * from agents
