-- Two tables with the same rows give the same. Topic ids are not compared: older tables have none,
-- and older rows get theirs later.
select
    kafka_topic,
    kafka_partition,
    count(*) as row_count,
    count(distinct kafka_offset) as distinct_offsets,
    countif(rejection_reason is null) as accepted_count,
    min(kafka_offset) as min_offset,
    max(kafka_offset) as max_offset,
    sum(mod(unix_micros(ingested_at), 1000000007)) as read_times,
    sum(mod(unix_micros(survey_answered_at), 1000000007)) as response_times
from raw.{{ table }}
where ingested_at <= @until
group by 1, 2
order by 1, 2
