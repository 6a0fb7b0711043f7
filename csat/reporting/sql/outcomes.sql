select * from marts.pipeline_health
order by is_accepted desc, message_count desc, outcome
