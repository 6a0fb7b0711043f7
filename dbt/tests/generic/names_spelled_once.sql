{#-
    Fails on names in one of the columns that differ only in letter case, white space or punctuation, and lists their
    spellings. They are different names in every mart; whether they mean the same is for a person to decide: use it as a
    warning.
-#}
{% test names_spelled_once(model, columns) %}
with names as (

    select distinct
        names.column_name,
        names.name
    from {{ model }}
    cross join
        unnest([
            {%- for column in columns %}
            struct('{{ column }}' as column_name, {{ column }} as name)
            {{- ',' if not loop.last }}
            {%- endfor %}
        ]) as names

),

keyed_names as (

    select
        column_name,
        name,
        regexp_replace(
            normalize_and_casefold(name, nfkc), r'[^\pL\pM\pN]+', ''
        ) as letters
    from names
    where name is not null

)

select
    column_name,
    string_agg(name, ' | ' order by name) as spellings
from keyed_names
group by column_name, letters
having count(*) > 1
{% endtest %}
