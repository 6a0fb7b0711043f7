select
    count(*) as row_count,
    countif(rejection_reason is null) as accepted_count,
    countif(rejection_reason is not null) as rejected_count
from raw.survey_responses
