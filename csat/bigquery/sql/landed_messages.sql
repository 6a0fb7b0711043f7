-- A view for those who may not read the landing table: without remarks and payloads.
select
    response_id,
    rejection_reason,
    survey_answered_at,
    kafka_timestamp,
    ingested_at
from raw.survey_responses
