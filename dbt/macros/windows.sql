{#- Days after a touched date whose boards hold it, in their window or in the one before that they compare with. -#}
{% macro board_days_after() %}
    {{ return(2 * (var('windows') | map(attribute='days') | max) - 1) }}
{% endmacro %}


{#-
    CTEs of the boards to compute, from a CTE that has answered_date.

    windows: one row per board date and window: those to publish (is_published) and, for comparison, the ones a
    window's length before. The window "all" exists for the latest answered date only.
    window_dates: one row per board date, window and answered date in it.
-#}
{% macro window_ctes(answers) %}
span as (

    select
        min(answered_date) as first_date,
        max(answered_date) as last_date
    from {{ answers }}

),

boards as (

    select published_date
    from span
    {%- if is_incremental() %}
    cross join
        unnest([
            {{ dates_to_build(board_days_after()) | join(',\n            ') }}
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
            boards.published_date, interval periods_back * lengths.window_days day
        ) as board_date,
        logical_or(periods_back = 0) as is_published
    from boards
    cross join
        unnest([
            {%- for window in var('windows') %}
            struct('{{ window.id }}' as window_id, {{ window.days }} as window_days)
            {{- ',' if not loop.last }}
            {%- endfor %}
        ]) as lengths
    cross join unnest([0, 1]) as periods_back
    group by window_id, window_days, board_date

),

windows as (

    select
        board_date,
        window_id,
        window_days,
        date_sub(board_date, interval window_days - 1 day) as window_start,
        is_published
    from rolling_windows

    union all

    select
        boards.published_date as board_date,
        'all' as window_id,
        cast(null as int64) as window_days,
        span.first_date as window_start,
        true as is_published
    from span
    inner join boards on span.last_date = boards.published_date

),

window_dates as (

    select
        windows.board_date,
        windows.window_id,
        windows.is_published,
        answered_date
    from windows
    cross join
        unnest(
            generate_date_array(windows.window_start, windows.board_date)
        ) as answered_date

)
{%- endmacro %}
