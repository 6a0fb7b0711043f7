select min(response_date) as response_date
from candidate.agg_category_daily
where response_date not in unnest(@dates)
