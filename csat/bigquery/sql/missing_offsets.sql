with landed as (
    select
        kafka_topic,
        coalesce(kafka_topic_id, '') as kafka_topic_id,
        kafka_partition,
        kafka_offset,
        lead(kafka_offset) over (
            partition by kafka_topic, kafka_topic_id, kafka_partition
            order by kafka_offset
        ) as next_offset
    from raw.survey_responses
    where ingested_at >= @since
)

select
    kafka_topic,
    kafka_topic_id,
    kafka_partition,
    kafka_offset + 1 as first_offset,
    next_offset as end_offset
from landed
where next_offset > kafka_offset + 1
order by kafka_topic, kafka_topic_id, kafka_partition, kafka_offset
