{#- Counts that are additive over dates, agents and categories; rates and quantiles are not. -#}
{% macro additive_counts() -%}
        count(*) as response_count,
        countif(is_satisfied) as satisfied_count,
        sum(csat_score) as score_sum,
        {%- for score in range(1, 6) %}
        countif(csat_score = {{ score }}) as score_{{ score }}_count,
        {%- endfor %}
        countif(first_reply_bucket = '5 minutes') as up_to_5_minutes_count,
        countif(first_reply_bucket = '1 hour') as up_to_1_hour_count,
        countif(first_reply_bucket = '24 hours') as up_to_24_hours_count,
        countif(first_reply_bucket = 'longer') as over_24_hours_count,
        countif(first_reply_bucket = 'unknown') as unknown_first_reply_count
{%- endmacro %}
