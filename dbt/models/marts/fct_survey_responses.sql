{{
    config(
        materialized='incremental',
        partition_by={'field': 'response_date', 'data_type': 'date'},
        partitions=touched_dates() or none,
        cluster_by=['category', 'channel', 'agent_id'],
    )
}}
{%- set new_rows = landed_since_last_build() if is_incremental() %}
{%- set columns = [
    'response_id',
    'response_date',
    'case_id',
    'order_id',
    'agent_id',
    'agent_name',
    'supervisor_name',
    'manager_name',
    'tenure_bucket',
    'shift',
    'channel',
    'category',
    'sub_category',
    'product_category',
    'customer_city',
    'item_price',
    'csat_score',
    'first_reply_minutes',
    'first_reply_bucket',
    'is_satisfied',
    'has_remarks',
    'issue_reported_at',
    'issue_responded_at',
    'survey_answered_at',
    'kafka_timestamp',
    'ingested_at',
    'response_key',
    'kafka_topic_id',
    'kafka_partition',
    'kafka_offset',
    'message_count',
    'other_messages',
] %}

with messages as (

    select * from {{ ref('stg_survey_response_messages') }}
    {%- if new_rows %}
    where {{ new_rows }}
    {%- endif %}

),

timed_messages as (

    select
        *,
        if(
            issue_responded_at >= issue_reported_at,
            timestamp_diff(
                issue_responded_at, issue_reported_at, microsecond
            ) / 60000000,
            null
        ) as first_reply_minutes
    from messages
    {%- if is_incremental() and not new_rows %}
    -- A duplicate may have another date, and be first in Kafka.
    where
        response_id in (
            select touched_messages.response_id
            from messages as touched_messages
            where
                touched_messages.response_date in (
                    {{ dates_to_build() | join(',\n                    ') }}
                )
        )
    {%- endif %}

),

described_messages as (

    select
        *,
        case
            when first_reply_minutes is null then 'unknown'
            when first_reply_minutes <= 5 then '5 minutes'
            when first_reply_minutes <= 60 then '1 hour'
            when first_reply_minutes <= 1440 then '24 hours'
            else 'longer'
        end as first_reply_bucket,
        csat_score >= 4 as is_satisfied,
        {{ canonical_name('customer_remarks') }} is not null as has_remarks,
        1 as message_count,
        cast(null as string) as other_messages
    from timed_messages

),

-- The messages to place, and in a build by dates the responses that are there:
-- each is the first of its messages, and names the others.
candidates as (

    select
        {{ columns | join(',\n        ') }}
    from described_messages
    {%- if new_rows %}

    union all

    select
        {{ columns | join(',\n        ') }}
    from {{ this }}
    where
        response_date in (
            {{ dates_to_build() | join(',\n            ') }}
        )
    {%- endif %}

),

ordered_candidates as (

    select
        *,
        {{ message_text() }} as message,
        count(*) over (partition by response_id) as candidate_count,
        row_number() over (
            partition by response_id order by {{ message_order() }}
        ) as candidate_number
    from candidates

),

first_candidates as (

    select * from ordered_candidates
    where candidate_number = 1

),

-- A build may read a row again: each message counts once.
duplicates as (

    select
        first_candidates.response_id,
        count(distinct other_message) as message_count,
        string_agg(
            distinct other_message, '\n' order by other_message
        ) as messages
    from first_candidates
    inner join ordered_candidates
        on first_candidates.response_id = ordered_candidates.response_id
    cross join
        unnest(
            split(
                concat(
                    ordered_candidates.message,
                    coalesce(concat('\n', ordered_candidates.other_messages), '')
                ),
                '\n'
            )
        ) as other_message
    where
        ordered_candidates.candidate_count > 1
        and other_message != first_candidates.message
    group by first_candidates.response_id

),

final as (

    select
        {%- for column in columns[:-2] %}
        first_candidates.{{ column }},
        {%- endfor %}
        if(
            first_candidates.candidate_count = 1,
            first_candidates.message_count,
            1 + coalesce(duplicates.message_count, 0)
        ) as message_count,
        if(
            first_candidates.candidate_count = 1,
            first_candidates.other_messages,
            duplicates.messages
        ) as other_messages
    from first_candidates
    left join duplicates
        on first_candidates.response_id = duplicates.response_id
    {%- if is_incremental() %}
    where
        first_candidates.response_date in (
            {{ dates_to_build() | join(',\n            ') }}
        )
    {%- endif %}

)

select * from final
