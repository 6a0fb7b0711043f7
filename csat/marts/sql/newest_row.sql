select max(ingested_at) as newest_ingested_at
from raw.survey_responses
where survey_answered_at >= @recent or survey_answered_at is null
