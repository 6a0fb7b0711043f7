insert into ops.erasures (
    erased_at,
    id_hash,
    kafka_topic,
    kafka_topic_id,
    kafka_partition,
    kafka_offset,
    reason
)
select
    current_timestamp() as erased_at,
    named.id_hash,
    named.kafka_topic,
    named.kafka_topic_id,
    named.kafka_partition,
    named.kafka_offset,
    cast(@reason as string) as reason
from (
    {{ naming_messages }}
) as named
