select
    rejected.kafka_topic,
    rejected.kafka_topic_id,
    rejected.kafka_partition,
    rejected.kafka_offset,
    rejected.payload
from raw.survey_responses as rejected
where
    rejected.rejection_reason is not null
    and starts_with(rejected.rejection_reason, @reason)
    and rejected.ingested_at >= @since
    and rejected.payload is not null
    and not exists (
        select 1
        from ops.replays as replays
        where
            replays.kafka_topic = rejected.kafka_topic
            and replays.kafka_partition = rejected.kafka_partition
            and replays.kafka_offset = rejected.kafka_offset
            and (
                replays.kafka_topic_id = rejected.kafka_topic_id
                -- Without an id, it counts for what had landed by then: rows get their id later
                or (replays.kafka_topic_id is null and replays.replayed_at >= rejected.ingested_at)
            )
    )
order by rejected.kafka_timestamp, rejected.kafka_partition, rejected.kafka_offset
limit @row_limit
