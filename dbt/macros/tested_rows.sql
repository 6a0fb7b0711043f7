{#-
    The rows that a generic test reads: those of its `where`, and only the date partitions of the tested model that this
    run builds. A run that builds all dates, or none (`dbt test`, the nightly reconciliation), tests all rows.
-#}
{% macro bigquery__get_where_subquery(relation) %}
    {%- set conditions = [config.get('where')] if config.get('where') else [] -%}
    {%- set partitions = tested_partitions() -%}
    {%- for node in (graph.nodes.values() if execute and partitions else []) -%}
        {%- if node.resource_type == 'model' and node.alias == relation.identifier and node.config.partition_by -%}
            {%- do conditions.append(node.config.partition_by.field ~ ' in (' ~ partitions | join(', ') ~ ')') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if conditions -%}
        {{ return('(select * from ' ~ relation ~ ' where ' ~ conditions | join(' and ') ~ ') as tested_rows') }}
    {%- endif -%}
    {{ return(relation) }}
{% endmacro %}


{#- Here `model` is the test; inside the test, its argument shadows that name. -#}
{% macro tested_partitions() %}
    {%- set tested = graph.nodes.get(model.attached_node) if execute else none -%}
    {{ return(tested.config.partitions if tested else none) }}
{% endmacro %}
