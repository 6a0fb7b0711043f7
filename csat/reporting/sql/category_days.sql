select
    response_date,
    sum(response_count) as response_count,
    sum(satisfied_count) as satisfied_count
from marts.agg_category_daily
where
    response_date between @since and @until
    and category = @category
group by response_date
order by response_date
