{{ config(materialized='view', schema='marts') }}

with landed_messages as (

    select * from {{ ref('stg_landed_messages') }}

),

accepted_totals as (

    select
        count(distinct response_id) as response_count,
        count(*) as message_count,
        max(ingested_at) as newest_ingested_at,
        max(kafka_timestamp) as newest_kafka_timestamp,
        max(survey_answered_at) as newest_response_at
    from landed_messages
    where rejection_reason is null

),

outcomes as (

    select
        'accepted' as outcome,
        true as is_accepted,
        response_count as message_count,
        newest_ingested_at,
        newest_kafka_timestamp,
        newest_response_at
    from accepted_totals

    union all

    select
        'duplicate' as outcome,
        true as is_accepted,
        message_count - response_count as message_count,
        cast(null as timestamp) as newest_ingested_at,
        cast(null as timestamp) as newest_kafka_timestamp,
        cast(null as timestamp) as newest_response_at
    from accepted_totals

    union all

    select
        rejection_reason as outcome,
        false as is_accepted,
        count(*) as message_count,
        max(ingested_at) as newest_ingested_at,
        max(kafka_timestamp) as newest_kafka_timestamp,
        cast(null as timestamp) as newest_response_at
    from landed_messages
    where rejection_reason is not null
    group by outcome

),

final as (

    select
        outcome,
        is_accepted,
        message_count,
        safe_divide(
            message_count, sum(message_count) over ()
        ) as message_share,
        newest_ingested_at,
        newest_kafka_timestamp,
        newest_response_at,
        timestamp_diff(
            current_timestamp(), max(newest_ingested_at) over (), second
        ) as freshness_seconds
    from outcomes

)

select * from final
