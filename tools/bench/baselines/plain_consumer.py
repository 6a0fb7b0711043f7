"""A plain Python consumer: confluent-kafka, orjson, pyarrow, and a load job for each batch.

It validates only the fields it needs, and commits its offsets after the load: at least once.
"""

import sys
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import Consumer, KafkaException, TopicPartition
from google.cloud import bigquery

from csat.bigquery.client import open_client
from csat.contract.settings import Settings, get_settings
from tools.bench.baselines.rows import ARROW_SCHEMA, TIMES, place


def row(message: Any, now: datetime) -> dict[str, Any]:
    """The landing row of a message."""
    try:
        response: dict[str, Any] = orjson.loads(message.value())
        is_valid = bool(response["response_id"]) and 1 <= response["csat_score"] <= 5
        for name in TIMES:
            response[name] = datetime.fromisoformat(response[name])
    except (KeyError, TypeError, ValueError):
        is_valid = False
    if is_valid:
        return response | place(message, now)
    return {"rejection_reason": "bad", "payload": message.value(), **place(message, now)}


def load(client: bigquery.Client, settings: Settings, rows: list[dict[str, Any]]) -> None:
    """One Parquet file, one load job."""
    name = f"plain/{uuid.uuid4().hex}.parquet"
    file = settings.staging_root / "csat-staging" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=ARROW_SCHEMA), file, compression="zstd")
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
    table = settings.table("raw", "survey_responses")
    client.load_table_from_uri(
        f"{settings.staging_uri}/{name}", table, location=settings.location, job_config=config, timeout=60
    ).result(timeout=300)
    file.unlink()


def committed(consumer: Consumer, topic: str) -> int:
    """Messages that earlier runs have landed and committed."""
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    while True:
        try:
            places = consumer.committed([TopicPartition(topic, number) for number in partitions], timeout=30)
        except KafkaException:  # a new broker creates its offsets topic at the first request
            time.sleep(0.2)
        else:
            return sum(max(0, place.offset) for place in places)


def main() -> None:
    """Consume until N rows have landed in this and earlier runs."""
    settings, wanted = get_settings(), int(sys.argv[1])
    client = open_client(settings)
    options = {"bootstrap.servers": settings.bootstrap_servers, "group.id": settings.dataset_prefix}
    consumer = Consumer(options | {"auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([settings.kafka_topic])
    seen = committed(consumer, settings.kafka_topic)
    print("started", flush=True)
    rows: list[dict[str, Any]] = []
    while seen + len(rows) < wanted:
        now = datetime.now(UTC)
        rows += [row(message, now) for message in consumer.consume(10_000, 1.0)]
        if len(rows) >= settings.max_offsets_per_trigger or (rows and seen + len(rows) >= wanted):
            load(client, settings, rows)
            consumer.commit(asynchronous=False)
            print("landed", len(rows), flush=True)
            seen, rows = seen + len(rows), []
    consumer.close()


if __name__ == "__main__":
    main()
