{{
    config(
        materialized='incremental',
        partition_by={'field': 'leaderboard_date', 'data_type': 'date'},
        partitions=touched_dates(window_days_after()) or none,
        cluster_by=['window_id', 'agent_id'],
    )
}}

with ranked_agents as (

    select * from {{ ref('int_agents_ranked') }}

),

tiered_agents as (

    select * from {{ ref('int_agents_tiered') }}

),

first_reply_times as (

    select * from {{ ref('int_agents_timed') }}

),

latest_names as (

    select * from {{ ref('int_agents_named') }}

),

final as (

    select
        ranked_agents.as_of_date as leaderboard_date,
        ranked_agents.agent_id,
        latest_names.agent_name,
        latest_names.supervisor_name,
        latest_names.manager_name,
        ranked_agents.window_id,
        ranked_agents.window_start,
        ranked_agents.as_of_date as window_end,
        ranked_agents.response_count,
        ranked_agents.satisfied_count,
        ranked_agents.csat_rate,
        ranked_agents.average_score,
        ranked_agents.adjusted_csat_rate,
        ranked_agents.wilson_low,
        ranked_agents.wilson_high,
        ranked_agents.expected_csat_rate,
        round(
            ranked_agents.csat_rate - ranked_agents.expected_csat_rate, 9
        ) as csat_difference,
        round(
            ranked_agents.csat_rate - ranked_agents.expected_csat_rate
            - sqrt(
                pow(ranked_agents.csat_rate - ranked_agents.wilson_low, 2)
                + pow(ranked_agents.expected_reach_above, 2)
            ),
            9
        ) as csat_difference_low,
        round(
            ranked_agents.csat_rate - ranked_agents.expected_csat_rate
            + sqrt(
                pow(ranked_agents.wilson_high - ranked_agents.csat_rate, 2)
                + pow(ranked_agents.expected_reach_below, 2)
            ),
            9
        ) as csat_difference_high,
        ranked_agents.leaderboard_rank,
        previous_agents.leaderboard_rank as previous_rank,
        previous_agents.leaderboard_rank
        - ranked_agents.leaderboard_rank as rank_change,
        tiered_agents.tier,
        ranked_agents.is_ranked,
        greatest(
            0, {{ var('minimum_responses') }} - ranked_agents.response_count
        ) as responses_missing,
        first_reply_times.median_first_reply_minutes,
        first_reply_times.p90_first_reply_minutes
    from ranked_agents
    inner join latest_names
        on
            ranked_agents.as_of_date = latest_names.as_of_date
            and ranked_agents.window_id = latest_names.window_id
            and ranked_agents.agent_id = latest_names.agent_id
    inner join first_reply_times
        on
            ranked_agents.as_of_date = first_reply_times.as_of_date
            and ranked_agents.window_id = first_reply_times.window_id
            and ranked_agents.agent_id = first_reply_times.agent_id
    left join tiered_agents
        on
            ranked_agents.as_of_date = tiered_agents.as_of_date
            and ranked_agents.window_id = tiered_agents.window_id
            and ranked_agents.agent_id = tiered_agents.agent_id
    left join ranked_agents as previous_agents
        on
            date_sub(
                ranked_agents.as_of_date,
                interval ranked_agents.window_days day
            ) = previous_agents.as_of_date
            and ranked_agents.window_id = previous_agents.window_id
            and ranked_agents.agent_id = previous_agents.agent_id
            and ranked_agents.is_previous_complete
    where ranked_agents.is_published

)

select * from final
