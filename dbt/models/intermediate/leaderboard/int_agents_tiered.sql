with ranked_agents as (

    select * from {{ ref('int_agents_ranked') }}

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
final as (

    select
        as_of_date,
        window_id,
        agent_id,
        tier
    from tier_{{ var('leaderboard_tiers') }}

)

select * from final
