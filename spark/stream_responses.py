"""The stream: session, source, transform, sink, await. Run by `python -m spark.stream_responses`.

Whoever starts a driver decides its token and passes it; a driver without one takes the stream over with a new token.
Exit codes: 0 stopped on request, 75 another driver has the stream, 1 an error (named on the last line).
"""

import argparse
import logging
import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession
from pyspark.sql.streaming import StreamingQuery

from csat.contract import landing
from csat.contract.alerts import AlertKey
from csat.contract.errors import CsatError
from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings, SettingsError, get_settings
from csat.contract.version import code_version
from csat.control.driver_token import DriverTokenError, read_token, token_file
from csat.control.state_files import StateFiles
from csat.control.verdict import SUPERSEDED_EXIT_CODE, Heartbeat, State
from spark.checkpoint import committed_offsets, last_batch_at, sound_topic
from spark.claim import Claim, Order, patiently, take_over
from spark.decision import DecisionNeededError
from spark.failure import cause_line, own_alert
from spark.heartbeat import HeartbeatWriter
from spark.query import ActiveQuery
from spark.session import build_session
from spark.sink import LandingSink
from spark.source import read_messages
from spark.waiting import Waiting

if TYPE_CHECKING:
    from csat.bigquery.client import Warehouse
    from spark.load_budget import LoadBudget
    from spark.load_jobs import BigQueryLoadJobs
    from spark.position import TopicWatch

logger = logging.getLogger("spark.stream_responses")


class Fence:
    """Keeps this driver from writing once another driver has the stream."""

    def __init__(self, claim: Claim, waiting: Waiting) -> None:
        self._claim = claim
        self._waiting = waiting
        self.is_closed = False

    def __call__(self) -> None:
        """Raise CsatError if another driver has the stream; waits while the state files cannot be read."""
        if patiently(self._claim.order, self._waiting) is Order.EXIT:
            self.is_closed = True
            raise CsatError("another driver has the stream")


def start_query(
    spark: SparkSession, settings: Settings, sink: LandingSink, first_offsets: dict[int, int], *, is_catch_up: bool
) -> StreamingQuery:
    """Source, sink: the started query. With a checkpoint, it resumes there instead of at `first_offsets`."""
    messages = read_messages(spark, settings, first_offsets)
    writer = messages.writeStream.queryName(landing.TABLE).option("checkpointLocation", settings.checkpoint)
    writer = writer.foreachBatch(sink.write)
    if is_catch_up:
        return writer.trigger(availableNow=True).start()
    return writer.trigger(processingTime=f"{settings.trigger} seconds").start()


def run(settings: Settings, token: str = "", *, is_catch_up: bool = False) -> int:
    """Run the stream under this token (empty: take it over) until it is stopped, superseded or fails.

    Returns the exit code.
    """
    state_files = StateFiles(settings.state_files)
    started_at = datetime.now(UTC)
    driver_id = secrets.token_hex(6)
    token = token or take_over(state_files, driver_id, started_at)
    claim = Claim(state_files, token, driver_id)
    heartbeat = Heartbeat(
        token=token,
        driver_id=driver_id,
        state=State.STARTING,
        at=started_at,
        started_at=started_at,
        code_version=code_version(),
    )
    writer = HeartbeatWriter(
        state_files, heartbeat, heartbeat_seconds=settings.heartbeat_interval, trigger_seconds=settings.trigger
    )
    writer.stop_at_sigterm()
    if patiently(claim.order) is Order.EXIT or not writer.report(State.STARTING):
        logger.warning("Another driver has the stream, or it has no driver with token %s: exiting", token)
        return SUPERSEDED_EXIT_CODE
    if (code := writer.exit_code_before_start()) is not None:
        return code
    waiting = Waiting()
    fence = Fence(claim, waiting)
    sink: LandingSink | None = None
    watch: TopicWatch | None = None
    try:
        _check_access(settings)
        with ThreadPoolExecutor(1) as pool:  # importing Google's client takes seconds: the JVM starts meanwhile
            clients = pool.submit(_open_clients, settings, waiting)
            spark = build_session(settings)
            warehouse, jobs, budget = clients.result()
        from spark import position as positions  # it imports Google's client, too

        with warehouse:
            kept = sound_topic(spark, settings, f"damaged-{started_at:%Y%m%dT%H%M%SZ}")
            checkpoint = committed_offsets(spark, settings)
            position = positions.read_position(settings, kept, checkpoint)
            if position.needs_landed_rows:  # pending load jobs may land more
                pool = ThreadPoolExecutor(1)
                code = writer.watch_start(pool.submit(jobs.wait_for_pending), waiting)
                pool.shutdown(wait=False)  # a driver that must end does not wait for them
                if code is not None:
                    return code
            first_offsets = positions.resume(settings, warehouse, position)
            last_batch = last_batch_at(spark, settings)
            watch = positions.TopicWatch(settings, warehouse, position.topic, last_batch, waiting)

            def check() -> None:
                watch.check()
                fence()

            sink = LandingSink(settings, jobs, check, budget, watch.topic_id, waiting)
            if (code := writer.exit_code_before_start()) is not None:
                return code
            query = start_query(spark, settings, sink, first_offsets, is_catch_up=is_catch_up)
            logger.info("The query has started")
            return writer.watch(ActiveQuery(spark, query, sink, settings, position.next_offsets))
    except Exception as error:
        cause = (watch and watch.found) or error
        alert = own_alert(cause)
        batch = sink.current_batch if sink and not alert else ""
        if fence.is_closed or not writer.report(State.FAILED, cause_line(cause), batch, alert):
            return SUPERSEDED_EXIT_CODE
        raise


def _check_access(settings: Settings) -> None:
    """Raise KafkaAccessError if the brokers refuse access: Spark itself would retry forever."""
    from csat.kafka.login import check_access

    check_access(settings)


def _open_clients(settings: Settings, waiting: Waiting) -> "tuple[Warehouse, BigQueryLoadJobs, LoadBudget]":
    from csat.bigquery.client import Warehouse
    from spark.load_budget import load_budget
    from spark.load_jobs import BigQueryLoadJobs

    warehouse = Warehouse(settings)
    _check_landing_table(warehouse)
    return warehouse, BigQueryLoadJobs(warehouse, waiting), load_budget(warehouse)


def _check_landing_table(warehouse: "Warehouse") -> None:
    """Raise DecisionNeededError where it has the partitions of an earlier release; unknown while BigQuery is down."""
    from csat.bigquery.client import WarehouseUnreachableError
    from csat.bigquery.landing_migration import problem

    try:
        found = problem(warehouse)
    except WarehouseUnreachableError as error:  # the first batch waits for it
        logger.warning("Cannot check the landing table: %s", error)
        return
    if found:
        raise DecisionNeededError(AlertKey.LANDING_TABLE_OUTDATED, found.message, found.fix)


def main() -> None:
    """Entry point of the driver."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--catch-up", action="store_true", help="process the current backlog in bounded batches, then exit"
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--token", default="", help="run as the driver with this token; default: take the stream over with a new one"
    )
    source.add_argument(
        "--managed", action="store_true", help="run as the driver whose token Airflow left for supervisord's program"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stdout)
    logging.getLogger("py4j").setLevel(logging.WARNING)
    try:
        settings = get_settings()
        if not settings.is_on_dataproc:
            settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        token = read_token(token_file(settings.state)) if arguments.managed else arguments.token
        code = run(settings, token, is_catch_up=arguments.catch_up)
    except (SettingsError, KafkaAccessError, DecisionNeededError, DriverTokenError) as error:
        sys.exit(f"error: {error}")
    except Exception:
        logger.exception("The stream failed")
        code = 1
    logger.info("Exiting with code %d", code)
    # The JVM's own threads must not keep a finished driver alive.
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
