"""The approach of tutorials: Structured Streaming, `from_json`, and streaming inserts in `foreachBatch`."""

import os
import sys
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from csat.bigquery.client import open_client
from csat.contract import landing
from csat.contract.settings import get_settings
from spark.session import connector_jars

_ROWS_PER_REQUEST = 5_000
_FIELDS = ", ".join(f"{column.name} STRING" for column in landing.EVENT_COLUMNS)


def main() -> None:
    """Stream until N rows were inserted in this and earlier runs."""
    settings, wanted = get_settings(), int(sys.argv[1])
    client = open_client(settings)
    table = settings.table("raw", "survey_responses")
    spark = (
        SparkSession.builder.master(settings.spark_master)
        .config("spark.driver.memory", settings.spark_driver_memory)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.extraClassPath", os.pathsep.join(str(jar) for jar in connector_jars(settings)))
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    messages = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.bootstrap_servers)
        .option("subscribe", settings.kafka_topic)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", settings.max_offsets_per_trigger)
        .load()
    )
    rows = messages.select(
        F.from_json(F.col("value").cast("string"), _FIELDS).alias("response"),
        F.col("topic").alias("kafka_topic"),
        F.col("partition").alias("kafka_partition"),
        F.col("offset").alias("kafka_offset"),
        F.col("timestamp").cast("string").alias("kafka_timestamp"),
    ).select("response.*", "kafka_topic", "kafka_partition", "kafka_offset", "kafka_timestamp")

    def insert(batch: DataFrame, _: int) -> None:
        collected: list[dict[str, Any]] = [row.asDict() for row in batch.collect()]
        for start in range(0, len(collected), _ROWS_PER_REQUEST):
            part = collected[start : start + _ROWS_PER_REQUEST]
            errors = client.insert_rows_json(table, part, timeout=120)
            if errors:
                raise RuntimeError(f"{len(errors)} rows were rejected, the first: {errors[0]['errors']}")
            print("landed", len(part), flush=True)

    writer = rows.writeStream.foreachBatch(insert).option("checkpointLocation", settings.checkpoint)
    print("started", flush=True)
    writer.trigger(availableNow=True).start().awaitTermination()
    print(f"done: {wanted} were wanted", flush=True)


if __name__ == "__main__":
    main()
