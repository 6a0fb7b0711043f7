select
    kafka_partition,
    max(kafka_offset) as kafka_offset
from raw.survey_responses
where kafka_topic = @topic and kafka_topic_id = @topic_id
group by kafka_partition
