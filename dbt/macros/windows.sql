{#- Number of days after a touched date on which a window, or the previous window it is compared with, includes it. -#}
{% macro window_days_after() %}
    {{ return(2 * (var('windows') | map(attribute='days') | max) - 1) }}
{% endmacro %}


{#- Whether this run builds some dates of the mart only: inside the mart's ephemeral models is_incremental() is false. -#}
{% macro is_incremental_in(mart) %}
    {%- set table = adapter.get_relation(this.database, this.schema, mart) if execute else none -%}
    {{ return(table is not none and table.type == 'table' and not should_full_refresh()) }}
{% endmacro %}


{#-
    CTEs of the windows to compute, from a CTE that has response_date. An ephemeral model names the mart that it is for.

    windows: one row per date and window: those to publish (is_published) and, for comparison, the previous windows of
    equal length. The window "all" exists for the latest response date only. is_previous_complete: all of the previous
    window is after the first response date, on which the responses begin at some time of the day.
    window_dates: one row per date, window and response date in the window.
-#}
{% macro window_ctes(responses, mart=none) %}
span as (

    select
        min(response_date) as first_date,
        max(response_date) as last_date
    from {{ responses }}

),

published_dates as (

    select published_date
    from span
    {%- if (is_incremental_in(mart) if mart else is_incremental()) %}
    cross join
        unnest([
            {{ dates_to_build(window_days_after()) | join(',\n            ') }}
        ]) as published_date
    where published_date between span.first_date and span.last_date
    {%- else %}
    cross join
        unnest(generate_date_array(span.first_date, span.last_date)) as published_date
    {%- endif %}

),

rolling_windows as (

    select
        lengths.window_id,
        lengths.window_days,
        date_sub(
            published_dates.published_date, interval periods_back * lengths.window_days day
        ) as as_of_date,
        logical_or(periods_back = 0) as is_published
    from published_dates
    cross join
        unnest([
            {%- for window in var('windows') %}
            struct('{{ window.id }}' as window_id, {{ window.days }} as window_days)
            {{- ',' if not loop.last }}
            {%- endfor %}
        ]) as lengths
    cross join unnest([0, 1]) as periods_back
    group by window_id, window_days, as_of_date

),

windows as (

    select
        as_of_date,
        window_id,
        window_days,
        date_sub(as_of_date, interval window_days - 1 day) as window_start,
        is_published,
        date_sub(as_of_date, interval 2 * window_days - 1 day)
        > span.first_date as is_previous_complete
    from rolling_windows
    cross join span

    union all

    select
        published_dates.published_date as as_of_date,
        'all' as window_id,
        cast(null as int64) as window_days,
        span.first_date as window_start,
        true as is_published,
        false as is_previous_complete
    from span
    inner join published_dates on span.last_date = published_dates.published_date

),

window_dates as (

    select
        windows.as_of_date,
        windows.window_id,
        windows.is_published,
        response_date
    from windows
    cross join
        unnest(
            generate_date_array(windows.window_start, windows.as_of_date)
        ) as response_date

)
{%- endmacro %}
