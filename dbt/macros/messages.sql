{#-
    The first message in Kafka of each response_id, and the number of its messages; `messages` is a CTE. The last two
    columns of the order distinguish two rows of one message: the stream may have written it twice.
-#}
{% macro first_messages(messages) %}
    select
        *,
        count(*) over (partition by response_id) as message_count
    from {{ messages }}
    qualify
        row_number() over (
            partition by response_id
            order by
                kafka_timestamp,
                kafka_partition,
                kafka_offset,
                ingested_at,
                batch_id
        ) = 1
{%- endmacro %}
