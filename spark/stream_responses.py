"""The stream: session, source, transform, sink, await. Run by `python -m spark.stream_responses`.

Exit codes: 0 stopped as asked, 75 another driver has the stream, 1 an error (named on the last line).
"""

import argparse
import logging
import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pyspark.sql import SparkSession
from pyspark.sql.streaming import StreamingQuery

from csat import landing
from csat.documents import Documents
from csat.health import SUPERSEDED_EXIT_CODE, Health, State
from csat.kafka_access import KafkaAccessError
from csat.settings import Settings, SettingsError, get_settings, settings_problem
from csat.version import code_version
from spark.beat import Beat, Order, claim, order
from spark.query import ActiveQuery, committed_offsets
from spark.session import build_session
from spark.sink import LandingSink, SupersededError
from spark.source import FIRST_QUESTION_MILLISECONDS, end_offsets, read_messages, starting_offsets

if TYPE_CHECKING:
    from spark.load_budget import LoadBudget
    from spark.sink import LoadJobs
    from warehouse.client import Warehouse

logger = logging.getLogger("spark.stream_responses")


class Fence:
    """Keeps this driver from writing once the stream is another's."""

    def __init__(self, documents: Documents, token: str) -> None:
        self._documents = documents
        self._token = token
        self.is_closed = False

    def __call__(self) -> None:
        """Raise SupersededError when the control document names another driver."""
        if order(self._documents.control(), self._token) is Order.LEAVE:
            self.is_closed = True
            raise SupersededError("another driver has the stream")


def start_query(
    spark: SparkSession, settings: Settings, warehouse: "Warehouse", sink: LandingSink, *, is_catch_up: bool
) -> StreamingQuery:
    """Source, sink: the started query."""
    first = "earliest" if committed_offsets(spark, settings) else _first_offsets(spark, settings, warehouse)
    messages = read_messages(spark, settings, first)
    writer = messages.writeStream.queryName(landing.TABLE).option("checkpointLocation", settings.checkpoint)
    writer = writer.foreachBatch(sink.write)
    if is_catch_up:
        return writer.trigger(availableNow=True).start()
    return writer.trigger(processingTime=f"{settings.trigger} seconds").start()


def _first_offsets(spark: SparkSession, settings: Settings, warehouse: "Warehouse") -> str:
    sql = f"""
        select kafka_partition, max(kafka_offset) as kafka_offset
        from `{settings.table("raw", landing.TABLE)}` where kafka_topic = @topic group by kafka_partition
    """
    landed = {row["kafka_partition"]: row["kafka_offset"] for row in warehouse.rows(sql, topic=settings.kafka_topic)}
    if not landed:
        return "earliest"
    logger.warning("No checkpoint in %s: beginning behind the rows that have landed", settings.checkpoint)
    ends = end_offsets(spark, settings, FIRST_QUESTION_MILLISECONDS)
    return starting_offsets(settings.kafka_topic, ends, landed)


def run(settings: Settings, *, is_catch_up: bool = False) -> int:
    """Run the stream until it is stopped, superseded or fails; returns the exit code."""
    documents = Documents(settings.documents)
    started_at = datetime.now(UTC)
    driver_id = secrets.token_hex(6)
    token = claim(documents, driver_id, started_at)
    health = Health(
        token=token,
        driver_id=driver_id,
        state=State.STARTING,
        at=started_at,
        started_at=started_at,
        code_version=code_version(),
    )
    beat = Beat(documents, health, beat_seconds=settings.beat, trigger_seconds=settings.trigger)
    beat.stop_at_sigterm()
    beat.say(State.STARTING)
    fence = Fence(documents, token)
    sink: LandingSink | None = None
    try:
        _check_access(settings)
        with ThreadPoolExecutor(1) as pool:  # Google's client takes seconds to import: the JVM starts meanwhile
            clients = pool.submit(_open_clients, settings)
            spark = build_session(settings)
            warehouse, jobs, budget = clients.result()
        with warehouse:
            sink = LandingSink(settings, jobs, fence, budget)
            query = start_query(spark, settings, warehouse, sink, is_catch_up=is_catch_up)
            logger.info("The query has started")
            return beat.watch(ActiveQuery(spark, query, sink, settings))
    except Exception as error:
        if fence.is_closed or not beat.say(State.FAILED, _first_line(error), sink.batch_in_hand if sink else ""):
            return SUPERSEDED_EXIT_CODE
        raise


def _check_access(settings: Settings) -> None:
    """Raise KafkaAccessError where the brokers do not let us in: Spark itself would try again for ever."""
    from warehouse.kafka_login import check_access

    check_access(settings)


def _open_clients(settings: Settings) -> "tuple[Warehouse, LoadJobs, LoadBudget]":
    from spark.load_budget import load_budget
    from spark.load_jobs import BigQueryLoadJobs
    from warehouse.client import Warehouse

    warehouse = Warehouse(settings)
    return warehouse, BigQueryLoadJobs(warehouse), load_budget(warehouse)


def _first_line(error: Exception) -> str:
    """What went wrong, short and without data of a message."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]


def main() -> None:
    """Entry point of the driver."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catch-up", action="store_true", help="read what is there now, in bounded batches, and end")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stdout)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    try:
        settings = get_settings()
    except ValidationError as error:
        sys.exit(f"error: {settings_problem(error)}")
    if not settings.is_on_dataproc:
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        code = run(settings, is_catch_up=arguments.catch_up)
    except (SettingsError, KafkaAccessError) as error:
        sys.exit(f"error: {error}")
    except Exception:
        logger.exception("The stream failed")
        code = 1
    logger.info("Leaving with exit code %d", code)
    # The JVM's own threads must not keep a driver alive that has nothing left to do.
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
