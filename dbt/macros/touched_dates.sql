{#-
    Literals of the dates in CSAT_TOUCHED_DATES (a JSON list), and of the days_after dates after each, up to CSAT_AS_OF;
    empty where the variable is empty.

    They come from the environment because config() is evaluated when the project is parsed: a query there would give
    the MERGE one list and the SELECT another. dbt re-parses files that read a changed environment variable.
-#}
{% macro touched_dates(days_after=0) %}
    {%- set as_of = env_var('CSAT_AS_OF', '') or '9999-12-31' -%}
    {%- set dates = [] -%}
    {%- for touched in fromjson(env_var('CSAT_TOUCHED_DATES', '') or '[]') -%}
        {%- set first = modules.datetime.date.fromisoformat(touched) -%}
        {%- for days in range(days_after + 1) -%}
            {%- set day = (first + modules.datetime.timedelta(days=days)).isoformat() -%}
            {%- if days == 0 or day <= as_of -%}
                {%- do dates.append("date '" ~ day ~ "'") -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(dates | unique | sort) }}
{% endmacro %}


{#-
    The dates that an incremental run computes, as SQL expressions: the touched ones, or the last lookback_days.

    Without CSAT_TOUCHED_DATES `partitions` is empty, and dbt replaces the partitions that it finds in the result.
-#}
{% macro dates_to_build(days_after=0) %}
    {%- set dates = touched_dates(days_after) -%}
    {%- if not dates -%}
        {%- for days in range(var('lookback_days')) -%}
            {%- do dates.append('date_sub(current_date(), interval ' ~ days ~ ' day)') -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(dates) }}
{% endmacro %}


{#-
    The condition of the rows that landed since the last build; empty where a run computes its dates from all rows. Call
    it only if is_incremental(): parsing must not read the variables, which differ in each build.
-#}
{% macro landed_since_last_build() %}
    {%- set since, until = env_var('CSAT_NEW_SINCE', ''), env_var('CSAT_NEW_UNTIL', '') -%}
    {%- if since -%}
        ingested_at > timestamp('{{ since }}') and ingested_at <= timestamp('{{ until }}')
    {%- endif -%}
{% endmacro %}
