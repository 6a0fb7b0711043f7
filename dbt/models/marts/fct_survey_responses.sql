{{
    config(
        materialized='incremental',
        partition_by={'field': 'response_date', 'data_type': 'date'},
        partitions=touched_dates() or none,
        cluster_by=['category', 'channel', 'agent_id'],
    )
}}

with messages as (

    select * from {{ ref('stg_survey_response_messages') }}
    {%- if is_incremental() and read_since() %}
    where ingested_at >= timestamp('{{ read_since() }}')
    {%- endif %}

),
{% if is_incremental() %}
touched_responses as (

    select distinct response_id
    from messages
    where
        response_date in (
            {{ dates_to_build() | join(',\n            ') }}
        )

),

-- A duplicate may have another date, and be first in Kafka.
touched_messages as (

    select messages.*
    from messages
    inner join touched_responses
        on messages.response_id = touched_responses.response_id

),
{% endif %}
survey_responses as (
    {{ first_messages('touched_messages' if is_incremental() else 'messages') }}

),

timed_responses as (

    select
        *,
        if(
            issue_responded_at >= issue_reported_at,
            timestamp_diff(
                issue_responded_at, issue_reported_at, microsecond
            ) / 60000000,
            null
        ) as first_reply_minutes
    from survey_responses
    {%- if is_incremental() %}
    where
        response_date in (
            {{ dates_to_build() | join(',\n            ') }}
        )
    {%- endif %}

),

final as (

    select
        response_id,
        response_date,
        case_id,
        order_id,
        agent_id,
        agent_name,
        supervisor_name,
        manager_name,
        tenure_bucket,
        shift,
        channel,
        category,
        sub_category,
        product_category,
        customer_city,
        item_price,
        csat_score,
        first_reply_minutes,
        case
            when first_reply_minutes is null then 'unknown'
            when first_reply_minutes <= 5 then '5 minutes'
            when first_reply_minutes <= 60 then '1 hour'
            when first_reply_minutes <= 1440 then '24 hours'
            else 'longer'
        end as first_reply_bucket,
        message_count,
        csat_score >= 4 as is_satisfied,
        {{ canonical_name('customer_remarks') }} is not null as has_remarks,
        issue_reported_at,
        issue_responded_at,
        survey_answered_at,
        kafka_timestamp,
        ingested_at
    from timed_responses

)

select * from final
