{{
    config(
        materialized='incremental',
        partition_by={'field': 'leaderboard_date', 'data_type': 'date'},
        partitions=touched_dates(window_days_after()) or none,
        cluster_by=['window_id', 'agent_id'],
    )
}}

with agent_days as (

    select * from {{ ref('agg_agent_daily') }}

),

responses as (

    select * from {{ ref('fct_survey_responses') }}

),

agents_dated as (

    select * from {{ ref('int_agents_dated') }}

),

{{ window_ctes('agent_days') }},

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

-- Wilson's interval: (p + z²/2n ± z·sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n)
wilson_terms as (

    select
        *,
        1 + pow({{ var('z') }}, 2) / response_count as wilson_divisor,
        csat_rate
        + pow({{ var('z') }}, 2) / (2 * response_count) as wilson_centre,
        {{ var('z') }} * sqrt(
            csat_rate * (1 - csat_rate) / response_count
            + pow({{ var('z') }}, 2) / (4 * pow(response_count, 2))
        ) as wilson_reach
    from agent_windows

),

ranked_agents as (

    select
        *,
        -- For a rate of 0 or 1 one end is the rate itself; floats are inexact.
        least(
            csat_rate,
            greatest(0, (wilson_centre - wilson_reach) / wilson_divisor)
        ) as wilson_low,
        greatest(
            csat_rate,
            least(1, (wilson_centre + wilson_reach) / wilson_divisor)
        ) as wilson_high,
        if(
            is_ranked,
            row_number() over (
                partition by as_of_date, window_id, is_ranked
                order by adjusted_csat_rate desc, response_count desc, agent_id
            ),
            null
        ) as leaderboard_rank
    from wilson_terms

),

-- A tier starts with its best-ranked agent and continues down the ranks until
-- an interval lies wholly below the leader's: that agent leads the next tier.
tier_1 as (

    select
        as_of_date,
        window_id,
        agent_id,
        leaderboard_rank,
        wilson_low,
        wilson_high,
        1 as tier,
        max(if(leaderboard_rank = 1, wilson_low, null)) over (
            partition by as_of_date, window_id
        ) as leader_wilson_low
    from ranked_agents
    where is_ranked

),
{% for tier in range(2, var('leaderboard_tiers') | int + 1) %}
tier_{{ tier }}_leaders as (

    select
        *,
        min(
            if(
                tier = {{ tier - 1 }} and wilson_high < leader_wilson_low,
                leaderboard_rank,
                null
            )
        ) over (partition by as_of_date, window_id) as next_leader_rank
    from tier_{{ tier - 1 }}

),

tier_{{ tier }} as (

    select
        as_of_date,
        window_id,
        agent_id,
        leaderboard_rank,
        wilson_low,
        wilson_high,
        if(leaderboard_rank >= next_leader_rank, {{ tier }}, tier) as tier,
        max(if(leaderboard_rank = next_leader_rank, wilson_low, null)) over (
            partition by as_of_date, window_id
        ) as leader_wilson_low
    from tier_{{ tier }}_leaders

),
{% endfor %}
first_reply_times as (

    select distinct
        window_dates.as_of_date,
        window_dates.window_id,
        responses.agent_id,
        percentile_cont(responses.first_reply_minutes, 0.5) over (
            partition by
                window_dates.as_of_date,
                window_dates.window_id,
                responses.agent_id
        ) as median_first_reply_minutes,
        percentile_cont(responses.first_reply_minutes, 0.9) over (
            partition by
                window_dates.as_of_date,
                window_dates.window_id,
                responses.agent_id
        ) as p90_first_reply_minutes
    from window_dates
    inner join responses
        on window_dates.response_date = responses.response_date
    where window_dates.is_published

),

-- An old leaderboard has the names of its time.
latest_names as (

    select
        window_dates.as_of_date,
        window_dates.window_id,
        agents_dated.agent_id,
        agents_dated.agent_name,
        agents_dated.supervisor_name,
        agents_dated.manager_name
    from window_dates
    inner join agents_dated
        on window_dates.response_date = agents_dated.response_date
    where window_dates.is_published
    qualify
        row_number() over (
            partition by
                window_dates.as_of_date,
                window_dates.window_id,
                agents_dated.agent_id
            order by agents_dated.response_date desc
        ) = 1

),

final as (

    select
        windows.as_of_date as leaderboard_date,
        ranked_agents.agent_id,
        latest_names.agent_name,
        latest_names.supervisor_name,
        latest_names.manager_name,
        windows.window_id,
        windows.window_start,
        windows.as_of_date as window_end,
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
        ranked_agents.leaderboard_rank,
        previous_agents.leaderboard_rank as previous_rank,
        previous_agents.leaderboard_rank
        - ranked_agents.leaderboard_rank as rank_change,
        tier_{{ var('leaderboard_tiers') }}.tier,
        ranked_agents.is_ranked,
        greatest(
            0, {{ var('minimum_responses') }} - ranked_agents.response_count
        ) as responses_missing,
        first_reply_times.median_first_reply_minutes,
        first_reply_times.p90_first_reply_minutes
    from windows
    inner join ranked_agents
        on
            windows.as_of_date = ranked_agents.as_of_date
            and windows.window_id = ranked_agents.window_id
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
    left join tier_{{ var('leaderboard_tiers') }}
        on
            ranked_agents.as_of_date
            = tier_{{ var('leaderboard_tiers') }}.as_of_date
            and ranked_agents.window_id
            = tier_{{ var('leaderboard_tiers') }}.window_id
            and ranked_agents.agent_id
            = tier_{{ var('leaderboard_tiers') }}.agent_id
    left join ranked_agents as previous_agents
        on
            date_sub(windows.as_of_date, interval windows.window_days day)
            = previous_agents.as_of_date
            and ranked_agents.window_id = previous_agents.window_id
            and ranked_agents.agent_id = previous_agents.agent_id
    where windows.is_published

)

select * from final
