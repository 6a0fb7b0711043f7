select
    channel,
    category,
    sum(response_count) as response_count
from marts.response_series
where response_date between @since and @until
group by channel, category
order by response_count desc, channel, category
