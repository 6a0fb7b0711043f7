select *
from marts.category_ranking
where ranking_date = @as_of_date and window_id = @window_id and sub_category is null
order by volume_rank
limit @row_limit
