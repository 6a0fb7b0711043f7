select count(*) as response_count
from candidate.fct_survey_responses
