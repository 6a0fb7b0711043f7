select count(*) as response_count
from marts.fct_survey_responses
