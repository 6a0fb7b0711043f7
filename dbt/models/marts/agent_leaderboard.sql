{{
    config(
        materialized='incremental',
        partition_by={'field': 'leaderboard_date', 'data_type': 'date'},
        partitions=touched_dates(board_days_after()) or none,
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
        window_dates.board_date,
        window_dates.window_id,
        agent_days.agent_id,
        agent_days.channel,
        agent_days.category,
        sum(agent_days.answer_count) as answer_count,
        sum(agent_days.satisfied_count) as satisfied_count,
        sum(agent_days.score_sum) as score_sum
    from window_dates
    inner join agent_days
        on window_dates.answered_date = agent_days.answered_date
    group by board_date, window_id, agent_id, channel, category

),

rated_cells as (

    select
        board_date,
        window_id,
        agent_id,
        answer_count,
        satisfied_count,
        score_sum,
        sum(satisfied_count) over cell
        / sum(answer_count) over cell as cell_csat_rate,
        sum(satisfied_count) over board
        / sum(answer_count) over board as window_csat_rate
    from agent_cells
    window
        board as (partition by board_date, window_id),
        cell as (partition by board_date, window_id, channel, category)

),

agent_windows as (

    select
        board_date,
        window_id,
        agent_id,
        sum(answer_count) as answer_count,
        sum(satisfied_count) as satisfied_count,
        sum(satisfied_count) / sum(answer_count) as csat_rate,
        sum(score_sum) / sum(answer_count) as average_score,
        -- Rounded: the order of a sum of floats is not fixed.
        round(
            sum(answer_count * cell_csat_rate) / sum(answer_count), 9
        ) as expected_csat_rate,
        round(
            (
                sum(satisfied_count)
                + {{ var('prior_answers') }} * max(window_csat_rate)
            ) / (sum(answer_count) + {{ var('prior_answers') }}),
            9
        ) as shrunk_csat_rate,
        sum(answer_count) >= {{ var('minimum_answers') }} as is_ranked
    from rated_cells
    group by board_date, window_id, agent_id

),

-- Wilson's interval: (p + z²/2n ± z·sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n)
wilson_terms as (

    select
        *,
        1 + pow({{ var('z') }}, 2) / answer_count as wilson_divisor,
        csat_rate
        + pow({{ var('z') }}, 2) / (2 * answer_count) as wilson_centre,
        {{ var('z') }} * sqrt(
            csat_rate * (1 - csat_rate) / answer_count
            + pow({{ var('z') }}, 2) / (4 * pow(answer_count, 2))
        ) as wilson_reach
    from agent_windows

),

ranked_agents as (

    select
        *,
        -- For a rate of 0 or 1 an end is the rate itself; floats miss it.
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
                partition by board_date, window_id, is_ranked
                order by shrunk_csat_rate desc, answer_count desc, agent_id
            ),
            null
        ) as leaderboard_rank
    from wilson_terms

),

-- A tier is led by its best-ranked agent and goes on, down the ranks, until an
-- interval lies wholly below the leader's: that agent leads the next tier.
tier_1 as (

    select
        board_date,
        window_id,
        agent_id,
        leaderboard_rank,
        wilson_low,
        wilson_high,
        1 as tier,
        max(if(leaderboard_rank = 1, wilson_low, null)) over (
            partition by board_date, window_id
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
        ) over (partition by board_date, window_id) as next_leader_rank
    from tier_{{ tier - 1 }}

),

tier_{{ tier }} as (

    select
        board_date,
        window_id,
        agent_id,
        leaderboard_rank,
        wilson_low,
        wilson_high,
        if(leaderboard_rank >= next_leader_rank, {{ tier }}, tier) as tier,
        max(if(leaderboard_rank = next_leader_rank, wilson_low, null)) over (
            partition by board_date, window_id
        ) as leader_wilson_low
    from tier_{{ tier }}_leaders

),
{% endfor %}
response_times as (

    select distinct
        window_dates.board_date,
        window_dates.window_id,
        responses.agent_id,
        percentile_cont(responses.response_minutes, 0.5) over (
            partition by
                window_dates.board_date,
                window_dates.window_id,
                responses.agent_id
        ) as median_response_minutes,
        percentile_cont(responses.response_minutes, 0.9) over (
            partition by
                window_dates.board_date,
                window_dates.window_id,
                responses.agent_id
        ) as p90_response_minutes
    from window_dates
    inner join responses
        on window_dates.answered_date = responses.answered_date
    where window_dates.is_published

),

-- An old board keeps the names of its time.
latest_names as (

    select
        window_dates.board_date,
        window_dates.window_id,
        agents_dated.agent_id,
        agents_dated.agent_name,
        agents_dated.supervisor_name,
        agents_dated.manager_name
    from window_dates
    inner join agents_dated
        on window_dates.answered_date = agents_dated.answered_date
    where window_dates.is_published
    qualify
        row_number() over (
            partition by
                window_dates.board_date,
                window_dates.window_id,
                agents_dated.agent_id
            order by agents_dated.answered_date desc
        ) = 1

),

final as (

    select
        windows.board_date as leaderboard_date,
        ranked_agents.agent_id,
        latest_names.agent_name,
        latest_names.supervisor_name,
        latest_names.manager_name,
        windows.window_id,
        windows.window_start,
        windows.board_date as window_end,
        ranked_agents.answer_count,
        ranked_agents.satisfied_count,
        ranked_agents.csat_rate,
        ranked_agents.average_score,
        ranked_agents.shrunk_csat_rate,
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
            0, {{ var('minimum_answers') }} - ranked_agents.answer_count
        ) as answers_missing,
        response_times.median_response_minutes,
        response_times.p90_response_minutes
    from windows
    inner join ranked_agents
        on
            windows.board_date = ranked_agents.board_date
            and windows.window_id = ranked_agents.window_id
    inner join latest_names
        on
            ranked_agents.board_date = latest_names.board_date
            and ranked_agents.window_id = latest_names.window_id
            and ranked_agents.agent_id = latest_names.agent_id
    inner join response_times
        on
            ranked_agents.board_date = response_times.board_date
            and ranked_agents.window_id = response_times.window_id
            and ranked_agents.agent_id = response_times.agent_id
    left join tier_{{ var('leaderboard_tiers') }}
        on
            ranked_agents.board_date
            = tier_{{ var('leaderboard_tiers') }}.board_date
            and ranked_agents.window_id
            = tier_{{ var('leaderboard_tiers') }}.window_id
            and ranked_agents.agent_id
            = tier_{{ var('leaderboard_tiers') }}.agent_id
    left join ranked_agents as previous_agents
        on
            date_sub(windows.board_date, interval windows.window_days day)
            = previous_agents.board_date
            and ranked_agents.window_id = previous_agents.window_id
            and ranked_agents.agent_id = previous_agents.agent_id
    where windows.is_published

)

select * from final
