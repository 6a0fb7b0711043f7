select
    channel,
    category,
    sum(response_count) as response_count,
    sum(satisfied_count) as satisfied_count,
    sum(score_sum) as score_sum
from marts.agg_agent_daily
where agent_id = @agent_id and response_date between @since and @until
group by channel, category
order by response_count desc, channel, category
