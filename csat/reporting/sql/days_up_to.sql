-- The responses of today, and of yesterday up to the same time of day.
select
    countif(response_date = @today) as response_count,
    countif(
        response_date = date_sub(@today, interval 1 day)
        and survey_answered_at <= timestamp_sub(@until, interval 1 day)
    ) as response_count_yesterday
from marts.fct_survey_responses
where response_date between date_sub(@today, interval 1 day) and @today
