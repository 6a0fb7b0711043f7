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
        sum(satisfied_count) over leaderboard
        / sum(response_count) over leaderboard as window_csat_rate,
        sum(satisfied_count) over cell
        - satisfied_count as others_satisfied_count,
        nullif(
            sum(response_count) over cell - response_count, 0
        ) as others_response_count
    from agent_cells
    window
        leaderboard as (partition by as_of_date, window_id),
        cell as (partition by as_of_date, window_id, channel, category)

),

expected_cells as (

    select
        *,
        others_satisfied_count / others_response_count as others_csat_rate
    from rated_cells

),

-- Zou, Huang and Zhang (2009): the squares of what each rate's interval reaches
-- below and above the rate add up, weighted.
interval_cells as (

    select
        *,
        others_csat_rate
        - {{ wilson_low('others_csat_rate', 'others_response_count') }} as reach_below,
        {{ wilson_high('others_csat_rate', 'others_response_count') }}
        - others_csat_rate as reach_above
    from expected_cells

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
        if(
            countif(others_csat_rate is null) = 0,
            round(
                sum(response_count * others_csat_rate) / sum(response_count), 9
            ),
            null
        ) as expected_csat_rate,
        round(
            sqrt(sum(pow(response_count * reach_below, 2)))
            / sum(response_count),
            9
        ) as expected_reach_below,
        round(
            sqrt(sum(pow(response_count * reach_above, 2)))
            / sum(response_count),
            9
        ) as expected_reach_above,
        round(
            (
                sum(satisfied_count)
                + {{ var('prior_responses') }} * max(window_csat_rate)
            ) / (sum(response_count) + {{ var('prior_responses') }}),
            9
        ) as adjusted_csat_rate,
        sum(response_count) >= {{ var('minimum_responses') }} as is_ranked
    from interval_cells
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
        agent_windows.expected_reach_below,
        agent_windows.expected_reach_above,
        agent_windows.adjusted_csat_rate,
        windows.is_published,
        windows.is_previous_complete,
        agent_windows.is_ranked
    from windows
    inner join agent_windows
        on
            windows.as_of_date = agent_windows.as_of_date
            and windows.window_id = agent_windows.window_id

)

select * from final
