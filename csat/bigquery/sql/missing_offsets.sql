-- The gaps beside a row that was read in a period. A clock that was set in between gave the rows
-- beyond the gap another time: they are looked for in more days, and among rows of the future.
with landed as (
    select
        kafka_topic,
        coalesce(kafka_topic_id, '') as kafka_topic_id,
        kafka_partition,
        kafka_offset,
        ingested_at between @since and @until as is_in_period
    from raw.survey_responses
    where ingested_at >= @landed_since
),

pairs as (
    select
        kafka_topic,
        kafka_topic_id,
        kafka_partition,
        kafka_offset,
        is_in_period,
        lead(kafka_offset) over following_rows as next_offset,
        lead(is_in_period) over following_rows as is_next_in_period
    from landed
    window
        following_rows as (
            partition by kafka_topic, kafka_topic_id, kafka_partition
            order by kafka_offset
        )
)

select
    kafka_topic,
    kafka_topic_id,
    kafka_partition,
    kafka_offset + 1 as first_offset,
    next_offset as end_offset
from pairs
where next_offset > kafka_offset + 1 and (is_in_period or is_next_in_period)
order by kafka_topic, kafka_topic_id, kafka_partition, kafka_offset
