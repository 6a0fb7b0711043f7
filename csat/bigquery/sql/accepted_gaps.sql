select distinct
    kafka_topic,
    kafka_topic_id,
    kafka_partition,
    first_offset,
    end_offset
from ops.accepted_losses
order by kafka_topic, kafka_topic_id, kafka_partition, first_offset
