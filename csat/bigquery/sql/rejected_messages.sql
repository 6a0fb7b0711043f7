select
    kafka_topic,
    kafka_topic_id,
    kafka_partition,
    kafka_offset,
    kafka_timestamp,
    rejection_reason,
    length(payload) as payload_bytes
from raw.survey_responses
where
    rejection_reason is not null
    and starts_with(rejection_reason, @reason)
    and ingested_at >= @since
order by kafka_timestamp desc, kafka_partition, kafka_offset desc
limit @row_limit
