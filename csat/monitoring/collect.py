"""Collects the facts for a health check: queries every source in parallel, each with its own timeout.

An unreachable source is a fact too: the health check reports it and continues.
"""

import logging
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from csat.bigquery.client import Warehouse, WarehouseError
from csat.bigquery.load_job_times import load_job_times
from csat.clients import airflow_api
from csat.clients.airflow_api import AirflowError
from csat.clients.listening import RefusedError, Server, require_listening
from csat.contract.alerts import AlertKey
from csat.contract.google_errors import google_error
from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.control.open_alerts import AlertState
from csat.control.state_files import StateFileError, StateFiles
from csat.kafka.lag import KafkaFacts, Period, waiting
from csat.kafka.topic import TopicFacts, topic_facts, unreadable
from csat.monitoring.checkpoint import CheckpointError, committed_offsets
from csat.monitoring.facts import Facts, Limits, Missing, RunFacts, StreamFacts
from csat.monitoring.recent_landing import mart_facts, recent_landing

logger = logging.getLogger(__name__)

Fact = TypeVar("Fact")

_CALL_SECONDS, _QUERY_SECONDS = 10, 60
# As Airflow's health response names them
_COMPONENTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


@dataclass(frozen=True)
class Collected:
    """The facts, and when gaps in the landed offsets were last examined."""

    facts: Facts
    examined_at: datetime | None


def collect(settings: Settings, alert_state: AlertState, now: datetime) -> Collected:
    """All facts. An error of one source is never raised."""
    short = settings.model_copy(
        update={"bigquery_timeout_seconds": _CALL_SECONDS, "bigquery_job_timeout_seconds": _QUERY_SECONDS}
    )
    period = Period(now - Limits.of(settings).landing, now)
    with ThreadPoolExecutor() as pool:

        def fact(alert: AlertKey, query: Callable[[], Fact | Missing]) -> "Future[Fact | Missing]":
            return pool.submit(_fact, alert, query)

        stream = fact(AlertKey.STATE_FILES_UNREADABLE, lambda: _stream(settings))
        kafka = fact(AlertKey.KAFKA_UNREACHABLE, lambda: _kafka(settings, period))
        topic = fact(AlertKey.KAFKA_UNREACHABLE, lambda: _topic(settings))
        landing = fact(
            AlertKey.BIGQUERY_UNREACHABLE,
            lambda: _query_bigquery(short, lambda warehouse: recent_landing(warehouse, now, alert_state.examined_at)),
        )
        marts = fact(
            AlertKey.BIGQUERY_UNREACHABLE, lambda: _query_bigquery(short, lambda warehouse: mart_facts(warehouse, now))
        )
        jobs = fact(AlertKey.BIGQUERY_UNREACHABLE, lambda: _load_jobs(short, now))
        airflow = fact(AlertKey.AIRFLOW_UNREACHABLE, lambda: _airflow(settings))
        run = fact(AlertKey.AIRFLOW_UNREACHABLE, lambda: _run(settings))
        disk = fact(AlertKey.DISK_SPACE_LOW, lambda: _free_bytes(settings))
    landed = landing.result()
    facts = Facts(
        now=now,
        stream=stream.result(),
        kafka=kafka.result(),
        topic=topic.result(),
        landing=landed if isinstance(landed, Missing) else landed.facts,
        marts=marts.result(),
        load_jobs=jobs.result(),
        airflow=airflow.result(),
        run=run.result(),
        free_bytes=disk.result(),
    )
    return Collected(facts, alert_state.examined_at if isinstance(landed, Missing) else landed.examined_at)


def _fact(alert: AlertKey, query: Callable[[], Fact | Missing]) -> Fact | Missing:
    """The fact; an error that its source does not name is one too, such as a client's that is new."""
    try:
        return query()
    except Exception as error:
        if named := google_error(error):
            return Missing(str(named), alert)
        logger.warning("A health check's source failed", exc_info=True)
        return Missing(f"{type(error).__name__}: {error}"[:300], alert)


def _stream(settings: Settings) -> StreamFacts | Missing:
    state_files = StateFiles(settings.state_files)
    try:
        return StreamFacts(state_files.desired_state(), state_files.heartbeat())
    except (StateFileError, OSError) as error:
        return Missing(str(error), AlertKey.STATE_FILES_UNREADABLE)


def _kafka(settings: Settings, period: Period) -> KafkaFacts | Missing:
    try:
        require_listening(settings, Server.KAFKA)
        return waiting(settings, committed_offsets(settings.checkpoint, settings.kafka_topic), period)
    except (RefusedError, KafkaAccessError) as error:
        return Missing(str(error), AlertKey.KAFKA_UNREACHABLE)
    except CheckpointError as error:
        return Missing(str(error), AlertKey.STATE_FILES_UNREADABLE)


def _topic(settings: Settings) -> TopicFacts | Missing:
    try:
        require_listening(settings, Server.KAFKA)
        return topic_facts(settings) or Missing(unreadable(settings))
    except (RefusedError, KafkaAccessError) as error:
        return Missing(str(error), AlertKey.KAFKA_UNREACHABLE)


def _query_bigquery(settings: Settings, query: Callable[[Warehouse], Fact]) -> Fact | Missing:
    try:
        require_listening(settings, Server.BIGQUERY)
        with Warehouse(settings) as warehouse:
            return query(warehouse)
    except (RefusedError, WarehouseError) as error:
        return Missing(str(error), AlertKey.BIGQUERY_UNREACHABLE)


def _load_jobs(settings: Settings, now: datetime) -> int | Missing:
    if settings.is_local:
        return Missing("the emulator has no quota")
    return _query_bigquery(settings, lambda warehouse: len(load_job_times(warehouse, now - timedelta(days=1))))


def _airflow(settings: Settings) -> dict[str, str] | Missing:
    if not (settings.is_local or settings.airflow_url):
        return Missing("not checked: CSAT_AIRFLOW_URL is empty")
    try:
        response = airflow_api.health(settings)
    except AirflowError as error:
        return Missing(str(error), AlertKey.AIRFLOW_UNREACHABLE)
    return {name: str((response.get(name) or {}).get("status") or "missing") for name in _COMPONENTS}


def _run(settings: Settings) -> RunFacts | Missing:
    if not airflow_api.has_login(settings):
        return Missing(f"not checked: no login in {airflow_api.passwords_file(settings)}")
    try:
        dag = airflow_api.call(settings, "GET", "dags/run_stream")
        runs = airflow_api.call(settings, "GET", "dags/run_stream/dagRuns?order_by=-run_after&limit=5")["dag_runs"]
    except AirflowError as error:
        return Missing(str(error), AlertKey.AIRFLOW_UNREACHABLE)
    return run_facts(dag, runs)


def run_facts(dag: dict[str, Any], runs: list[dict[str, Any]]) -> RunFacts:
    """The facts of a DAG and its newest runs, from the responses of Airflow's API."""
    ends = [datetime.fromisoformat(run["end_date"]) for run in runs if run["end_date"]]
    active = sum(run["state"] in ("running", "queued") for run in runs)
    return RunFacts(bool(dag["is_paused"]), active, max(ends, default=None))


def _free_bytes(settings: Settings) -> int | Missing:
    if not settings.is_local:
        return Missing("staging files are in a bucket")
    folder: Path = settings.staging_root
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free
