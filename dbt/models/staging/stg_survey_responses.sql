with messages as (

    select * from {{ ref('stg_survey_response_messages') }}

),

responses as (
    {{ first_messages('messages') }}

)

select * from responses
