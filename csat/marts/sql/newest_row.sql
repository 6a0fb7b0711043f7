-- A row of the future is of a clock that was ahead.
select max(ingested_at) as newest_ingested_at
from raw.survey_responses
where ingested_at >= @recent and ingested_at <= current_timestamp()
