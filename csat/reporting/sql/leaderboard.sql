select
    *,
    response_count - satisfied_count as dissatisfied_count
from marts.agent_leaderboard
where leaderboard_date = @as_of_date and window_id = @window_id
order by leaderboard_rank is null, leaderboard_rank, responses_missing, agent_id
limit @row_limit
