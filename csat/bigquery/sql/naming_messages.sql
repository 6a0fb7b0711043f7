-- The messages, of those read at or after @since, that name one of the ids: an accepted one in its
-- columns, a rejected one anywhere in its bytes. A row for each message and id. What is erased
-- names none.
with messages as (
    select
        kafka_topic,
        kafka_topic_id,
        kafka_partition,
        kafka_offset,
        rejection_reason is null as is_accepted,
        array_concat(
            [coalesce(response_id, ''), coalesce(case_id, ''), coalesce(order_id, '')],
            coalesce(
                regexp_extract_all(
                    lower(safe_convert_bytes_to_string(payload)), r'{{ id_pattern }}'
                ),
                []
            )
        ) as ids
    from raw.survey_responses
    where ingested_at >= @since
)

select distinct
    {{ id_hash }} as id_hash,
    messages.kafka_topic,
    messages.kafka_topic_id,
    messages.kafka_partition,
    messages.kafka_offset,
    messages.is_accepted
from messages
cross join unnest(messages.ids) as id
where {{ id_hash }} in unnest(@id_hashes)
