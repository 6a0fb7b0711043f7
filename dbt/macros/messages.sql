{#- The order of a response's messages: the first one counts. Rows of one message, which was written twice, too. -#}
{% macro message_order() -%}
kafka_timestamp, kafka_partition, kafka_offset, ingested_at, kafka_topic_id
{%- endmacro %}


{#- The first message of each response_id, and the number of its messages; `messages` is a CTE. -#}
{% macro first_messages(messages) %}
    select
        *,
        count(*) over (partition by response_id) as message_count
    from {{ messages }}
    qualify
        row_number() over (
            partition by response_id order by {{ message_order() }}
        ) = 1
{%- endmacro %}


{#- A response_id as 60 bits of its hash: a column of 8 bytes instead of 38. Two ids may have the same. -#}
{% macro response_key(response_id) -%}
cast(concat('0x', substr(to_hex(md5({{ response_id }})), 1, 15)) as int64)
{%- endmacro %}


{#- A row of the landing table as a text without white space but between its parts: its date, place and batch. -#}
{% macro message_text() -%}
        concat(
            cast(response_date as string), ' ', kafka_topic_id, ' ',
            cast(kafka_partition as string), ' ', cast(kafka_offset as string), ' ',
            cast(unix_micros(ingested_at) as string)
        )
{%- endmacro %}
