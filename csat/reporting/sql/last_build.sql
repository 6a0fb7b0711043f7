-- A record with a watermark of the future is of a clock that was ahead.
select *
from ops.mart_builds
where status = 'succeeded' and watermark_to <= current_timestamp()
order by watermark_to desc, built_at desc
limit 1
