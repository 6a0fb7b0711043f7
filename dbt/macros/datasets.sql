{#- The datasets are <prefix>_raw, _candidate, _marts, _ops and _scratch; without the target's name. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- else -%}
        {{ env_var('CSAT_DATASET_PREFIX', 'csat') }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}


{#- A failing run leaves its temporary tables: put them where tables expire. -#}
{% macro bigquery__make_temp_relation(base_relation, suffix) %}
    {%- set temporary = bigquery__make_relation_with_suffix(base_relation, suffix, dstring=True) -%}
    {{ return(temporary.incorporate(path={'schema': generate_schema_name('scratch', none)})) }}
{% endmacro %}
