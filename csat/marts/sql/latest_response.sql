-- The partition column is compared with a constant, so that BigQuery reads no older partition. A
-- date beyond the widest limits of the stream, which earlier releases accepted, is in no mart. No
-- row of a clock that was ahead moves the watermark past now: later builds read it again.
select
    max(if(ingested_at <= current_timestamp(), ingested_at, null)) as watermark_to,
    max(ingested_at) as read_until,
    date(
        max(
            if(
                survey_answered_at < @end
                and survey_answered_at >= timestamp_sub(ingested_at, interval 3650 day),
                survey_answered_at,
                null
            )
        )
    ) as latest_response_date
from raw.survey_responses
where rejection_reason is null and ingested_at >= @read_since
