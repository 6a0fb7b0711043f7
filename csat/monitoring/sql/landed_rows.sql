select
    kafka_topic,
    kafka_topic_id,
    kafka_partition,
    count(*) as row_count,
    count(distinct kafka_offset) as distinct_offsets,
    max(kafka_offset) - min(kafka_offset) + 1 as record_count,
    countif(rejection_reason is not null) as rejected_count,
    max(if(ingested_at <= current_timestamp(), ingested_at, null)) as newest_at
from raw.survey_responses
where ingested_at >= @since
group by kafka_topic, kafka_topic_id, kafka_partition
