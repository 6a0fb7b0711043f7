select
    kafka_topic,
    kafka_topic_id,
    kafka_partition,
    kafka_offset,
    kafka_timestamp,
    rejection_reason,
    payload
from raw.survey_responses
where
    rejection_reason is not null
    and kafka_partition = @partition
    and kafka_offset = @offset
order by kafka_topic, kafka_topic_id
