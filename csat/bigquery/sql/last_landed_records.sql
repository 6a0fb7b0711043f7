-- The row with the greatest offset of each partition. Both reads name the period: BigQuery bills
-- the days in it only.
with last_offsets as (
    select
        kafka_partition,
        max(kafka_offset) as kafka_offset
    from raw.survey_responses
    where
        ingested_at >= @since
        and kafka_topic = @topic
        and kafka_topic_id = @topic_id
    group by kafka_partition
)

select
    landed.kafka_partition,
    landed.kafka_offset,
    unix_millis(landed.kafka_timestamp) as timestamp_ms,
    landed.response_id,
    landed.payload
from raw.survey_responses as landed
inner join last_offsets
    on
        landed.kafka_partition = last_offsets.kafka_partition
        and landed.kafka_offset = last_offsets.kafka_offset
where
    landed.ingested_at >= @since
    and landed.kafka_topic = @topic
    and landed.kafka_topic_id = @topic_id
