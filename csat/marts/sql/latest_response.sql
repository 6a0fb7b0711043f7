-- The partition column is compared with a constant, so that BigQuery reads no older partition. A
-- date beyond the widest limits of the stream, which earlier releases accepted, is in no mart.
select
    max(ingested_at) as watermark_to,
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
