with messages as (

    select * from {{ source('landing', 'survey_responses') }}

),

accepted_messages as (

    select
        response_id,
        case_id,
        order_id,
        agent_id,
        channel,
        category,
        sub_category,
        product_category,
        customer_city,
        customer_remarks,
        agent_name,
        supervisor_name,
        manager_name,
        tenure_bucket,
        shift,
        kafka_topic,
        kafka_partition,
        kafka_offset,
        batch_id,
        item_price,
        csat_score,
        date(survey_answered_at) as response_date,
        issue_reported_at,
        issue_responded_at,
        survey_answered_at,
        kafka_timestamp,
        ingested_at
    from messages
    where
        rejection_reason is null
        -- Earlier releases took a producer's clock for the record time.
        and survey_answered_at <= timestamp_add(ingested_at, interval 1 day)

)

select * from accepted_messages
