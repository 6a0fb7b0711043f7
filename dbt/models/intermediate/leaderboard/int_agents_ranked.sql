with rated_agents as (

    select * from {{ ref('int_agents_rated') }}

),

final as (

    select
        *,
        {{ wilson_low('csat_rate', 'response_count') }} as wilson_low,
        {{ wilson_high('csat_rate', 'response_count') }} as wilson_high,
        if(
            is_ranked,
            row_number() over (
                partition by as_of_date, window_id, is_ranked
                order by adjusted_csat_rate desc, response_count desc, agent_id
            ),
            null
        ) as leaderboard_rank
    from rated_agents

)

select * from final
