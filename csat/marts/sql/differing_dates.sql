with expected as (
    select
        response_date,
        {{ expected_counts }}
    from marts.fct_survey_responses
    group by response_date
),

found as (
    select
        {{ date }} as response_date,
        {{ found_counts }}
    from {{ mart }}
    where {{ condition }}
    group by {{ date }}
)

select
    coalesce(expected.response_date, found.response_date) as response_date,
    expected.response_count as expected_count,
    found.response_count as found_count
from expected
full outer join found on expected.response_date = found.response_date
where to_json_string(expected) is distinct from to_json_string(found)
order by response_date
