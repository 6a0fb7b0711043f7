select
    kafka_topic,
    coalesce(kafka_topic_id, '') as kafka_topic_id,
    kafka_partition,
    count(*) as row_count,
    count(distinct kafka_offset) as distinct_offsets,
    min(kafka_offset) as min_offset,
    max(kafka_offset) as max_offset
from raw.survey_responses
group by 1, 2, 3
