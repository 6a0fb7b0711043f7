select max(ingested_at) as newest_ingested_at
from raw.survey_responses
where ingested_at >= @recent
