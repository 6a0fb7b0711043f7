select countif(rejection_reason is null) as accepted_count
from raw.survey_responses
