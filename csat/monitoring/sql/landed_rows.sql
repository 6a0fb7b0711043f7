-- Rows of a clock that was ahead count when their time has come.
select
    kafka_topic,
    kafka_topic_id,
    kafka_partition,
    count(*) as row_count,
    count(distinct kafka_offset) as distinct_offsets,
    max(kafka_offset) - min(kafka_offset) + 1 as record_count,
    countif(rejection_reason is not null) as rejected_count,
    max(ingested_at) as newest_at
from raw.survey_responses
where ingested_at >= @since and ingested_at <= @until
group by kafka_topic, kafka_topic_id, kafka_partition
