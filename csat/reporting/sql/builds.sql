select * from ops.mart_builds
order by built_at desc limit @row_limit
