-- The span of the marts: null before the first build.
select
    min(leaderboard_date) as first_date,
    max(leaderboard_date) as last_date
from marts.agent_leaderboard
