with messages as (

    select * from {{ source('ops', 'landed_messages') }}

),

landed_messages as (

    select
        lower(response_id) as response_id,
        rejection_reason,
        survey_answered_at,
        kafka_timestamp,
        ingested_at
    from messages
    where
        rejection_reason is not null
        or (
            -- As in stg_survey_response_messages.
            survey_answered_at <= timestamp_add(ingested_at, interval 1 day)
            and survey_answered_at >= timestamp_sub(ingested_at, interval 3650 day)
        )

)

select * from landed_messages
