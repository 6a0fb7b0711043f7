with agent_days as (

    select * from {{ ref('agg_agent_daily') }}

),

{{ window_ctes('agent_days', mart='agent_leaderboard') }},

agent_cells as (

    select
        window_dates.as_of_date,
        window_dates.window_id,
        agent_days.agent_id,
        agent_days.channel,
        agent_days.category,
        sum(agent_days.response_count) as response_count,
        sum(agent_days.satisfied_count) as satisfied_count,
        sum(agent_days.score_sum) as score_sum
    from window_dates
    inner join agent_days
        on window_dates.response_date = agent_days.response_date
    group by as_of_date, window_id, agent_id, channel, category

),

rated_cells as (

    select
        as_of_date,
        window_id,
        agent_id,
        response_count,
        satisfied_count,
        score_sum,
        sum(satisfied_count) over cell
        / sum(response_count) over cell as cell_csat_rate,
        sum(satisfied_count) over leaderboard
        / sum(response_count) over leaderboard as window_csat_rate
    from agent_cells
    window
        leaderboard as (partition by as_of_date, window_id),
        cell as (partition by as_of_date, window_id, channel, category)

),

agent_windows as (

    select
        as_of_date,
        window_id,
        agent_id,
        sum(response_count) as response_count,
        sum(satisfied_count) as satisfied_count,
        sum(satisfied_count) / sum(response_count) as csat_rate,
        sum(score_sum) / sum(response_count) as average_score,
        -- Rounded, because the order of a sum of floats is not fixed.
        round(
            sum(response_count * cell_csat_rate) / sum(response_count), 9
        ) as expected_csat_rate,
        round(
            (
                sum(satisfied_count)
                + {{ var('prior_responses') }} * max(window_csat_rate)
            ) / (sum(response_count) + {{ var('prior_responses') }}),
            9
        ) as adjusted_csat_rate,
        sum(response_count) >= {{ var('minimum_responses') }} as is_ranked
    from rated_cells
    group by as_of_date, window_id, agent_id

),

final as (

    select
        agent_windows.as_of_date,
        agent_windows.window_id,
        agent_windows.agent_id,
        windows.window_start,
        windows.window_days,
        agent_windows.response_count,
        agent_windows.satisfied_count,
        agent_windows.csat_rate,
        agent_windows.average_score,
        agent_windows.expected_csat_rate,
        agent_windows.adjusted_csat_rate,
        windows.is_published,
        agent_windows.is_ranked
    from windows
    inner join agent_windows
        on
            windows.as_of_date = agent_windows.as_of_date
            and windows.window_id = agent_windows.window_id

)

select * from final
