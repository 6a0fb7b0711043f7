update raw.survey_responses
set kafka_topic_id = @topic_id
where kafka_topic = @topic and kafka_topic_id is null
