with rated_agents as (

    select * from {{ ref('int_agents_rated') }}

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
    from rated_agents

),

final as (

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

)

select * except (wilson_divisor, wilson_centre, wilson_reach) from final
