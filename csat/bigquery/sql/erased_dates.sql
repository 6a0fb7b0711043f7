-- The dates of all messages of the responses of which a message named the erased id.
with named as (
    select distinct {{ place }} as place
    from ops.erasures
    where id_hash = @id_hash
),

messages as (
    select
        response_id,
        survey_answered_at,
        {{ place }} as place
    from raw.survey_responses
    where rejection_reason is null and starts_with(response_id, '{{ erased }}-')
)

select distinct date(messages.survey_answered_at) as response_date
from messages
where
    messages.response_id in (
        select erased.response_id
        from messages as erased
        inner join named on erased.place = named.place
    )
order by response_date
