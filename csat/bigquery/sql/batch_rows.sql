select count(*) as row_count
from raw.survey_responses
where batch_id = @batch_id
