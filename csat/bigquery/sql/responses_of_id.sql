select distinct {{ response_hash }} as id_hash
from raw.survey_responses
where rejection_reason is null and {{ column_hash }} = @id_hash
