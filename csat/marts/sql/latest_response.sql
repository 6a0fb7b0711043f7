-- The partition column is compared with a constant, so that BigQuery reads no older partition.
select
    max(ingested_at) as watermark_to,
    date(max(if(survey_answered_at < @end, survey_answered_at, null))) as latest_response_date
from raw.survey_responses
where rejection_reason is null and survey_answered_at >= @earliest
