{#- What may be added up over dates, agents and categories; rates and quantiles may not. -#}
{% macro additive_counts() -%}
        count(*) as answer_count,
        countif(is_satisfied) as satisfied_count,
        sum(csat_score) as score_sum,
        {%- for score in range(1, 6) %}
        countif(csat_score = {{ score }}) as score_{{ score }}_count,
        {%- endfor %}
        countif(response_time_bucket = '5 minutes') as up_to_5_minutes_count,
        countif(response_time_bucket = '1 hour') as up_to_1_hour_count,
        countif(response_time_bucket = '24 hours') as up_to_24_hours_count,
        countif(response_time_bucket = 'longer') as over_24_hours_count,
        countif(response_time_bucket = 'unknown') as unknown_response_time_count
{%- endmacro %}
