with messages as (

    select * from {{ source('landing', 'survey_responses') }}

),

accepted_messages as (

    select
        *,
        date(survey_answered_at) as answered_date
    from messages
    where rejection_reason is null

),

-- Looks at every date, but at few columns: a copy may carry another date.
first_messages as (

    select
        response_id,
        answered_date,
        kafka_timestamp,
        kafka_partition,
        kafka_offset,
        count(*) over (partition by response_id) as message_count
    from accepted_messages
    qualify
        row_number() over (
            partition by response_id
            order by kafka_timestamp, kafka_partition, kafka_offset
        ) = 1

),

responses as (

    select
        accepted_messages.response_id,
        accepted_messages.case_id,
        accepted_messages.order_id,
        accepted_messages.agent_id,
        accepted_messages.channel,
        accepted_messages.category,
        accepted_messages.sub_category,
        accepted_messages.product_category,
        accepted_messages.customer_city,
        accepted_messages.customer_remarks,
        accepted_messages.agent_name,
        accepted_messages.supervisor_name,
        accepted_messages.manager_name,
        accepted_messages.tenure_bucket,
        accepted_messages.shift,
        accepted_messages.kafka_partition,
        accepted_messages.kafka_offset,
        accepted_messages.item_price,
        accepted_messages.csat_score,
        first_messages.message_count,
        accepted_messages.answered_date,
        accepted_messages.issue_reported_at,
        accepted_messages.issue_responded_at,
        accepted_messages.survey_answered_at,
        accepted_messages.kafka_timestamp,
        accepted_messages.ingested_at
    from accepted_messages
    inner join first_messages
        on
            accepted_messages.response_id = first_messages.response_id
            and accepted_messages.answered_date = first_messages.answered_date
            and accepted_messages.kafka_timestamp = first_messages.kafka_timestamp
            and accepted_messages.kafka_partition = first_messages.kafka_partition
            and accepted_messages.kafka_offset = first_messages.kafka_offset
    -- The stream may have written one message twice. By date, so that a filter
    -- on the date still reads that date's partition only.
    qualify
        row_number() over (
            partition by
                accepted_messages.response_id, accepted_messages.answered_date
            order by accepted_messages.ingested_at, accepted_messages.batch_id
        ) = 1

)

select * from responses
