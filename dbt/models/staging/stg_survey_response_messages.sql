with messages as (

    select * from {{ source('landing', 'survey_responses') }}

),

accepted_messages as (

    select
        -- Earlier releases landed UUIDs as they were sent.
        lower(response_id) as response_id,
        {{ response_key('lower(response_id)') }} as response_key,
        lower(case_id) as case_id,
        lower(order_id) as order_id,
        {{ canonical_name('agent_id', if_blank='unknown') }} as agent_id,
        {{ canonical_name('channel', if_blank='unknown') }} as channel,
        {{ canonical_name('category', if_blank='unknown') }} as category,
        {{ canonical_name('sub_category', if_blank='unknown') }} as sub_category,
        {{ canonical_name('product_category') }} as product_category,
        {{ canonical_name('customer_city') }} as customer_city,
        customer_remarks,
        {{ canonical_name('agent_name', if_blank='unknown') }} as agent_name,
        {{ canonical_name('supervisor_name', if_blank='unknown') }} as supervisor_name,
        {{ canonical_name('manager_name', if_blank='unknown') }} as manager_name,
        {{ canonical_name('tenure_bucket', if_blank='unknown') }} as tenure_bucket,
        {{ canonical_name('shift', if_blank='unknown') }} as shift,
        kafka_topic,
        coalesce(kafka_topic_id, kafka_topic) as kafka_topic_id,
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
        -- The widest limits of the stream: earlier releases accepted any date.
        and survey_answered_at <= timestamp_add(ingested_at, interval 1 day)
        and survey_answered_at >= timestamp_sub(ingested_at, interval 3650 day)

)

select * from accepted_messages
