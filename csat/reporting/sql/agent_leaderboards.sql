select
    leaderboard_date,
    window_id,
    response_count,
    satisfied_count,
    csat_rate,
    wilson_low,
    wilson_high,
    adjusted_csat_rate,
    leaderboard_rank,
    median_first_reply_minutes
from marts.agent_leaderboard
where
    agent_id = @agent_id
    and window_id = @window_id
    and leaderboard_date between @since and @until
order by leaderboard_date
