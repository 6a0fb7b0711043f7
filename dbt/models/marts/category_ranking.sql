{{
    config(
        materialized='incremental',
        partition_by={'field': 'ranking_date', 'data_type': 'date'},
        partitions=touched_dates(window_days_after()) or none,
        cluster_by=['window_id', 'category'],
    )
}}

with category_days as (

    select * from {{ ref('agg_category_daily') }}

),

{{ window_ctes('category_days') }},

sub_category_windows as (

    select
        window_dates.as_of_date,
        window_dates.window_id,
        category_days.category,
        category_days.sub_category,
        sum(category_days.response_count) as response_count,
        sum(category_days.satisfied_count) as satisfied_count
    from window_dates
    inner join category_days
        on window_dates.response_date = category_days.response_date
    group by as_of_date, window_id, category, sub_category

),

both_levels as (

    select
        as_of_date,
        window_id,
        category,
        sub_category,
        response_count,
        satisfied_count,
        true as is_sub_category
    from sub_category_windows

    union all

    select
        as_of_date,
        window_id,
        category,
        cast(null as string) as sub_category,
        sum(response_count) as response_count,
        sum(satisfied_count) as satisfied_count,
        false as is_sub_category
    from sub_category_windows
    group by as_of_date, window_id, category

),

ranked_categories as (

    select
        *,
        satisfied_count / response_count as csat_rate,
        response_count / sum(response_count) over (
            partition by as_of_date, window_id, is_sub_category
        ) as share,
        row_number() over (
            partition by as_of_date, window_id, is_sub_category
            order by response_count desc, category, sub_category
        ) as volume_rank,
        row_number() over (
            partition by as_of_date, window_id, is_sub_category
            order by
                response_count - satisfied_count desc,
                response_count,
                category,
                sub_category
        ) as dissatisfied_rank
    from both_levels

),

compared_categories as (

    select
        windows.as_of_date,
        windows.window_id,
        windows.window_start,
        ranked_categories.category,
        ranked_categories.sub_category,
        ranked_categories.response_count,
        ranked_categories.satisfied_count,
        ranked_categories.csat_rate,
        ranked_categories.share,
        ranked_categories.volume_rank,
        ranked_categories.dissatisfied_rank,
        previous_categories.response_count as previous_response_count,
        previous_categories.csat_rate as previous_csat_rate,
        (
            ranked_categories.satisfied_count
            + previous_categories.satisfied_count
        ) / (
            ranked_categories.response_count + previous_categories.response_count
        ) as pooled_csat_rate
    from windows
    inner join ranked_categories
        on
            windows.as_of_date = ranked_categories.as_of_date
            and windows.window_id = ranked_categories.window_id
    left join ranked_categories as previous_categories
        on
            date_sub(windows.as_of_date, interval windows.window_days day)
            = previous_categories.as_of_date
            and ranked_categories.window_id = previous_categories.window_id
            and ranked_categories.category = previous_categories.category
            and coalesce(ranked_categories.sub_category, '')
            = coalesce(previous_categories.sub_category, '')
            and ranked_categories.is_sub_category
            = previous_categories.is_sub_category
            and windows.is_previous_complete
    where windows.is_published

),

changed_categories as (

    select
        *,
        if(
            least(response_count, previous_response_count)
            >= {{ var('minimum_comparison_responses') }},
            csat_rate - previous_csat_rate,
            null
        ) as csat_change
    from compared_categories

),

-- Two-proportion test: z = (p1 - p2) / sqrt(p(1 - p)(1/n1 + 1/n2)), p pooled
tested_categories as (

    select
        *,
        safe_divide(
            csat_change,
            sqrt(
                pooled_csat_rate
                * (1 - pooled_csat_rate)
                * (1 / response_count + 1 / previous_response_count)
            )
        ) as csat_change_z
    from changed_categories

),

final as (

    select
        as_of_date as ranking_date,
        window_id,
        category,
        sub_category,
        window_start,
        as_of_date as window_end,
        response_count,
        satisfied_count,
        share,
        csat_rate,
        response_count - satisfied_count as dissatisfied_count,
        volume_rank,
        dissatisfied_rank,
        previous_response_count,
        previous_csat_rate,
        csat_change,
        csat_change_z,
        abs(csat_change_z) >= {{ var('z') }} as is_significant
    from tested_categories

)

select * from final
