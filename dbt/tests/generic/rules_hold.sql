{#-
    Fails where a rule of the model does not hold, and returns a row per violated rule: one statement, which reads the
    model once.

    keys: combinations of `columns` that no two rows share (nulls are equal), in all rows or in those of `where`.
    rules: conditions of each row; as in a check constraint, null violates none.
    totals: `total` is `other_total` of the model `other`, for each combination of the columns `by`.
    parent: each value of `column` is in the column `field` of the model `to`.
    known_values: values by column; another one is a warning.
    spelled_once: columns in which names that differ only in letter case, white space or punctuation are a warning. They
    are different names in every mart; whether they mean the same is for a person to decide.
-#}
{% test rules_hold(model, keys=[], rules=[], totals=none, parent=none, known_values={}, spelled_once=[]) %}
{{ config(error_if='> 0 and countif(not is_warning) > 0') }}
{%- set named = (known_values.keys() | list + spelled_once) | unique | list %}
with tested_rows as (

    select * from {{ model }}

),

{%- if rules %}
counted_rows as (

    select
        [
            {%- for rule in rules %}
            struct(
                r"""{{ rule }}""" as rule,
                countif(({{ rule }}) is false) as row_count
            )
            {{- ',' if not loop.last }}
            {%- endfor %}
        ] as results
    from tested_rows

),
{%- endif %}

{%- if totals %}
own_totals as (

    select
        {{ totals.by | join(', ') }},
        {{ totals.total }} as total
    from tested_rows
    group by {{ totals.by | join(', ') }}

),

other_totals as (

    select
        {{ totals.by | join(', ') }},
        {{ totals.other_total }} as total
    from {{ get_where_subquery(totals.other) }}
    group by {{ totals.by | join(', ') }}

),
{%- endif %}

{%- if named %}
names as (

    select
        column_values.column_name,
        column_values.name,
        count(*) as row_count
    from tested_rows
    cross join
        unnest([
            {%- for column in named %}
            struct('{{ column }}' as column_name, {{ column }} as name)
            {{- ',' if not loop.last }}
            {%- endfor %}
        ]) as column_values
    where column_values.name is not null
    group by column_values.column_name, column_values.name

),
{%- endif %}

results as (

    select
        cast(null as string) as rule,
        0 as row_count,
        cast(null as string) as found,
        false as is_warning

    {%- if rules %}

    union all

    select
        result.rule,
        result.row_count,
        cast(null as string) as found,
        false as is_warning
    from counted_rows
    cross join unnest(counted_rows.results) as result
    {%- endif %}

    {%- for key in keys %}

    union all

    select
        'one row per {{ key.columns | join(', ') }}' as rule,
        coalesce(sum(row_count), 0) as row_count,
        cast(null as string) as found,
        false as is_warning
    from (
        select count(*) as row_count
        from tested_rows
        {%- if key.where %}
        where {{ key.where }}
        {%- endif %}
        group by {{ key.columns | join(', ') }}
        having count(*) > 1
    ) as shared_keys
    {%- endfor %}

    {%- if totals %}

    union all

    select
        'totals of {{ totals.other.identifier }}' as rule,
        count(*) as row_count,
        string_agg(
            concat(
                {%- for column in totals.by %}
                cast({{ column }} as string), ' ',
                {%- endfor %}
                coalesce(cast(own_totals.total as string), 'none'), ' for ',
                coalesce(cast(other_totals.total as string), 'none')
            ),
            ' | '
        ) as found,
        false as is_warning
    from own_totals
    full outer join other_totals using ({{ totals.by | join(', ') }})
    where own_totals.total is distinct from other_totals.total
    {%- endif %}

    {%- if parent %}

    union all

    select
        '{{ parent.column }} is in {{ parent.to.identifier }}' as rule,
        count(*) as row_count,
        cast(null as string) as found,
        false as is_warning
    from tested_rows
    where
        {{ parent.column }} is not null
        and {{ parent.column }} not in (select {{ parent.field }} from {{ parent.to }})
    {%- endif %}

    {%- for column, values in known_values.items() %}

    union all

    select
        'known values of {{ column }}' as rule,
        coalesce(sum(row_count), 0) as row_count,
        string_agg(name, ' | ' order by name) as found,
        true as is_warning
    from names
    where
        column_name = '{{ column }}'
        and name not in ('{{ values | join("', '") }}')
    {%- endfor %}

    {%- if spelled_once %}

    union all

    select
        concat('one spelling in ', column_name) as rule,
        sum(row_count) as row_count,
        string_agg(name, ' | ' order by name) as found,
        true as is_warning
    from names
    where column_name in ('{{ spelled_once | join("', '") }}')
    group by
        column_name,
        regexp_replace(normalize_and_casefold(name, nfkc), r'[^\pL\pM\pN]+', '')
    having count(*) > 1
    {%- endif %}

)

select * from results
where row_count > 0
order by is_warning, rule
{% endtest %}
