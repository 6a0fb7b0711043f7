-- The dates of the new messages, and all dates of the responses of which they are copies: a copy
-- with another date may win, or lose. Two responses with one key make a date too many.
with new_messages as (
    select
        response_key,
        cast(response_date as string) as new_date
    from marts.stg_survey_response_messages
    where ingested_at > @since and ingested_at <= @until
),

built_responses as (
    select
        response_key,
        cast(response_date as string) as built_date,
        other_messages
    from candidate.fct_survey_responses
    where response_date between @earliest and @latest
),

touched_dates as (
    select distinct date(substr(message, 1, 10)) as response_date
    from new_messages
    left join built_responses on new_messages.response_key = built_responses.response_key
    cross join
        unnest(
            split(
                concat(
                    new_messages.new_date,
                    coalesce(concat('\n', built_responses.built_date), ''),
                    coalesce(concat('\n', built_responses.other_messages), '')
                ),
                '\n'
            )
        ) as message
)

select response_date
from touched_dates
where response_date between @earliest and @latest
