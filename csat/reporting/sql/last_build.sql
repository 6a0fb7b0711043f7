select *
from ops.mart_builds
where status = 'succeeded'
order by watermark_to desc, built_at desc
limit 1
