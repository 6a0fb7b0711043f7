-- The recorded messages, of those read at or after @since, lose what is the customer's.
update raw.survey_responses
set
    {{ erased_columns }}
where
    ingested_at >= @since
    and (payload is not null or not starts_with(response_id, '{{ erased }}-'))
    and {{ place }} in (
        select {{ place }}
        from ops.erasures
    )
