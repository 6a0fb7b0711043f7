"""The Kafka side of the stream: messages, starting offsets, and backlog."""

import json
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, SparkSession

from csat.contract.settings import Settings
from spark.kafka_login import client_options

if TYPE_CHECKING:
    from collections.abc import Mapping

# After each poll Spark's reader requests the partition's end offsets and drops what was fetched beyond the poll. With
# Kafka's default of 500 records per poll, most of each megabyte was fetched repeatedly, so a poll takes a whole fetch.
_POLLS = {"max.poll.records": "10000"}
# Records of a transaction that was aborted, or is open, are no responses.
_COMMITTED = {"isolation.level": "read_committed"}
# Timeout of the heartbeat's requests to Kafka: a dead broker must not delay heartbeats.
_REQUEST_MILLISECONDS = 3_000


def read_messages(spark: SparkSession, settings: Settings, first_offsets: "Mapping[int, int]") -> DataFrame:
    """The topic as a stream: value, topic, partition, offset and timestamp of every message.

    Spark's default is to start at the newest message, which silently loses the rest, so the starting offsets are
    always given. Offsets that Kafka no longer holds fail the query instead of being skipped.
    """
    return (
        spark.readStream.format("kafka")
        .options(**kafka_options(settings))
        .option("startingOffsets", json.dumps({settings.kafka_topic: first_offsets}))
        .option("failOnDataLoss", "true")
        .option("maxOffsetsPerTrigger", settings.max_offsets_per_trigger)
        .load()
    )


def kafka_options(settings: Settings) -> dict[str, str]:
    """Options of Spark's Kafka reader: the topic, the connection, and the records per poll."""
    options = client_options(settings) | _POLLS | _COMMITTED
    client = {f"kafka.{name}": value for name, value in options.items()}
    return client | {"subscribe": settings.kafka_topic}


def end_offsets(spark: SparkSession, settings: Settings) -> dict[int, int]:
    """The next offset of each partition. Raises py4j's error if the broker does not respond in time."""
    consumer = _open_consumer(spark, settings)
    jvm: Any = spark._jvm
    try:
        wait = jvm.java.time.Duration.ofMillis(_REQUEST_MILLISECONDS)
        partitions = [info.partition() for info in consumer.partitionsFor(settings.kafka_topic, wait)]
        make = jvm.org.apache.kafka.common.TopicPartition
        ends = consumer.endOffsets([make(settings.kafka_topic, number) for number in partitions], wait)
        return {entry.partition(): int(ends[entry]) for entry in ends}
    finally:
        consumer.close(jvm.java.time.Duration.ZERO)


def _open_consumer(spark: SparkSession, settings: Settings) -> Any:
    jvm: Any = spark._jvm
    options = jvm.java.util.HashMap()
    for name, value in (client_options(settings) | _COMMITTED).items():
        options[name] = value
    decoder = "org.apache.kafka.common.serialization.ByteArrayDeserializer"
    options["key.deserializer"] = options["value.deserializer"] = decoder
    return jvm.org.apache.kafka.clients.consumer.KafkaConsumer(options)


def backlog(ends: "Mapping[int, int]", read: "Mapping[int, int]") -> int:
    """Messages not yet read, from each partition's end offset and the next offset to read."""
    return sum(max(0, end - read.get(number, 0)) for number, end in ends.items())
