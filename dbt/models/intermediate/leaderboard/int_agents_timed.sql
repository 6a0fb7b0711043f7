with responses as (

    select * from {{ ref('fct_survey_responses') }}

),

{{ window_ctes('responses', mart='agent_leaderboard') }},

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

)

select * from first_reply_times
