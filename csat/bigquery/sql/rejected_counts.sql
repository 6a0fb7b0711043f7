select
    rejection_reason,
    count(*) as message_count,
    min(kafka_timestamp) as first_at,
    max(kafka_timestamp) as last_at
from raw.survey_responses
where
    rejection_reason is not null
    and starts_with(rejection_reason, @reason)
    and ingested_at >= @since
group by rejection_reason
order by message_count desc, rejection_reason
