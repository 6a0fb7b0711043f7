-- Builds leave older responses to the reconciliation.
select min(ingested_at) as waiting_since
from raw.survey_responses
where
    rejection_reason is null
    and ingested_at > @watermark
    and ingested_at >= @recent
    and survey_answered_at >= @recent
