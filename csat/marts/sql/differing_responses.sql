-- A fingerprint of a date's responses: the sum of the message times shows even when two of them
-- are swapped, that of the hashes when one still has what was erased. Duplicates of the newest
-- responses may land at any moment, so message_count leaves these out.
with landed as (
    select
        *,
        count(*) over (partition by response_id) as message_count
    from marts.stg_survey_response_messages
    where ingested_at <= @until
    qualify
        row_number() over (
            partition by response_id
            order by kafka_timestamp, kafka_partition, kafka_offset, ingested_at, kafka_topic_id
        ) = 1
),

expected as (
    select
        response_date,
        count(*) as response_count,
        sum(csat_score) as score_sum,
        sum(if(response_date < @settled, message_count, 0)) as message_count,
        sum(mod(unix_micros(kafka_timestamp), 1000000007)) as message_times,
        sum(mod({{ customer_hash }}, 1000000007)) as customer_hashes
    from landed
    group by response_date
),

found as (
    select
        response_date,
        count(*) as response_count,
        sum(csat_score) as score_sum,
        sum(if(response_date < @settled, message_count, 0)) as message_count,
        sum(mod(unix_micros(kafka_timestamp), 1000000007)) as message_times,
        sum(mod({{ customer_hash }}, 1000000007)) as customer_hashes
    from marts.fct_survey_responses
    where ingested_at <= @until
    group by response_date
)

select
    coalesce(expected.response_date, found.response_date) as response_date,
    expected.response_count as expected_count,
    found.response_count as found_count
from expected
full outer join found on expected.response_date = found.response_date
where to_json_string(expected) is distinct from to_json_string(found)
order by response_date
