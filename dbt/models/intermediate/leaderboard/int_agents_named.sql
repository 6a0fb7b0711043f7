with agents_dated as (

    select * from {{ ref('int_agents_dated') }}

),

{{ window_ctes('agents_dated', mart='agent_leaderboard') }},

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

)

select * from latest_names
