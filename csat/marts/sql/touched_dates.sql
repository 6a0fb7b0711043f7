-- All dates of a response: a duplicate with another date may win, or lose, against an old row.
-- Earlier releases landed ids as they were sent, in either case.
with touched as (
    select lower(response_id) as response_id
    from raw.survey_responses
    where
        rejection_reason is null
        and ingested_at > @since
        and ingested_at <= @until
)

select distinct date(survey_answered_at) as response_date
from raw.survey_responses
where
    rejection_reason is null
    and ingested_at >= @read_since
    and survey_answered_at >= @earliest
    and survey_answered_at < @end
    and lower(response_id) in (select response_id from touched)
