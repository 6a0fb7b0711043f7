{#- Fails where the totals of two models by the same columns differ. -#}
{% test equal_totals(model, total, other, other_total, by) %}
with totals as (

    select
        {{ by | join(', ') }},
        {{ total }} as total
    from {{ model }}
    group by {{ by | join(', ') }}

),

other_totals as (

    select
        {{ by | join(', ') }},
        {{ other_total }} as total
    from {{ get_where_subquery(other) }}
    group by {{ by | join(', ') }}

)

select
    {{ by | join(', ') }},
    totals.total,
    other_totals.total as other_total
from totals
full outer join other_totals using ({{ by | join(', ') }})
where totals.total is distinct from other_totals.total
{% endtest %}
