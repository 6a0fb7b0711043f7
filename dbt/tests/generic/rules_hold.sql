{#- Fails on a row that violates a rule, and names the rules; as in a check constraint, null violates none. -#}
{% test rules_hold(model, rules) %}
select
    array_to_string(
        [
            {%- for rule in rules %}
            if(({{ rule }}) is false, r"""{{ rule }}""", null)
            {{- ',' if not loop.last }}
            {%- endfor %}
        ],
        '; '
    ) as violated_rules,
    *
from {{ model }}
where
    false
    {%- for rule in rules %}
    or ({{ rule }}) is false
    {%- endfor %}
{% endtest %}
