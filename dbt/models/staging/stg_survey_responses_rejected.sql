with messages as (

    select * from {{ source('landing', 'survey_responses') }}

),

rejected_messages as (

    select
        kafka_topic,
        kafka_partition,
        kafka_offset,
        batch_id,
        rejection_reason,
        payload,
        kafka_timestamp,
        ingested_at
    from messages
    where rejection_reason is not null

)

select * from rejected_messages
