"""Collects what a look needs to know: every source asked at once, each with its own time-out.

A source that does not answer is a fact too: the look reports it and goes on.
"""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from csat import airflow_api
from csat.airflow_api import AirflowError
from csat.alerts import AlertKey
from csat.documents import DocumentError, Documents
from csat.settings import Settings
from csat.watch import Watch
from warehouse.checkpoint import CheckpointError, committed_offsets
from warehouse.client import Warehouse, WarehouseError
from warehouse.facts import Facts, KafkaFacts, Limits, Missing, RunFacts, StreamFacts
from warehouse.kafka_waiting import waiting
from warehouse.load_job_times import load_job_times
from warehouse.probes import KafkaOffsetsError
from warehouse.recent_landing import mart_facts, recent_landing

Fact = TypeVar("Fact")

_CALL_SECONDS, _QUERY_SECONDS = 10, 60
# As Airflow's health answer names them
_COMPONENTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


@dataclass(frozen=True)
class Collected:
    """The facts, and when all partitions of the landing table were searched last."""

    facts: Facts
    searched_at: datetime | None


def collect(settings: Settings, watch: Watch, now: datetime) -> Collected:
    """All facts. Raises nothing that one source may cause."""
    short = settings.model_copy(
        update={"bigquery_timeout_seconds": _CALL_SECONDS, "bigquery_job_timeout_seconds": _QUERY_SECONDS}
    )
    moment = now - Limits.of(settings).landing
    with ThreadPoolExecutor() as pool:
        stream = pool.submit(_stream, settings)
        kafka = pool.submit(_kafka, settings, moment)
        landing = pool.submit(_ask_bigquery, short, lambda warehouse: recent_landing(warehouse, now, watch.searched_at))
        marts = pool.submit(_ask_bigquery, short, lambda warehouse: mart_facts(warehouse, now))
        jobs = pool.submit(_load_jobs, short, now)
        airflow = pool.submit(_airflow, settings)
        run = pool.submit(_run, settings)
        disk = pool.submit(_free_bytes, settings)
    landed = landing.result()
    facts = Facts(
        now=now,
        stream=stream.result(),
        kafka=kafka.result(),
        landing=landed if isinstance(landed, Missing) else landed.facts,
        marts=marts.result(),
        load_jobs=jobs.result(),
        airflow=airflow.result(),
        run=run.result(),
        free_bytes=disk.result(),
    )
    return Collected(facts, watch.searched_at if isinstance(landed, Missing) else landed.searched_at)


def _stream(settings: Settings) -> StreamFacts | Missing:
    documents = Documents(settings.documents)
    try:
        return StreamFacts(documents.control(), documents.health())
    except (DocumentError, OSError) as error:
        return Missing(str(error), AlertKey.DOCUMENTS_UNREADABLE)


def _kafka(settings: Settings, moment: datetime) -> KafkaFacts | Missing:
    try:
        return waiting(settings, committed_offsets(settings.checkpoint, settings.kafka_topic), moment)
    except KafkaOffsetsError as error:
        return Missing(str(error), AlertKey.KAFKA_UNREACHABLE)
    except CheckpointError as error:
        return Missing(str(error), AlertKey.DOCUMENTS_UNREADABLE)


def _ask_bigquery(settings: Settings, ask: Callable[[Warehouse], Fact]) -> Fact | Missing:
    try:
        with Warehouse(settings) as warehouse:
            return ask(warehouse)
    except WarehouseError as error:
        return Missing(str(error), AlertKey.BIGQUERY_UNREACHABLE)


def _load_jobs(settings: Settings, now: datetime) -> int | Missing:
    if settings.is_local:
        return Missing("the emulator has no quota")
    return _ask_bigquery(settings, lambda warehouse: len(load_job_times(warehouse, now - timedelta(days=1))))


def _airflow(settings: Settings) -> dict[str, str] | Missing:
    if not (settings.is_local or settings.airflow_url):
        return Missing("not asked: CSAT_AIRFLOW_URL is empty")
    try:
        answer = airflow_api.health(settings)
    except AirflowError as error:
        return Missing(str(error), AlertKey.AIRFLOW_UNREACHABLE)
    return {name: str((answer.get(name) or {}).get("status") or "not there") for name in _COMPONENTS}


def _run(settings: Settings) -> RunFacts | Missing:
    if not airflow_api.has_login(settings):
        return Missing(f"not asked: no login in {airflow_api.passwords_file(settings)}")
    try:
        dag = airflow_api.call(settings, "GET", "dags/run_stream")
        runs = airflow_api.call(settings, "GET", "dags/run_stream/dagRuns?order_by=-run_after&limit=5")["dag_runs"]
    except AirflowError as error:
        return Missing(str(error), AlertKey.AIRFLOW_UNREACHABLE)
    return run_facts(dag, runs)


def run_facts(dag: dict[str, Any], runs: list[dict[str, Any]]) -> RunFacts:
    """The facts of a DAG and its newest runs, in the words of Airflow's API."""
    ends = [datetime.fromisoformat(run["end_date"]) for run in runs if run["end_date"]]
    active = sum(run["state"] in ("running", "queued") for run in runs)
    return RunFacts(bool(dag["is_paused"]), active, max(ends, default=None))


def _free_bytes(settings: Settings) -> int | Missing:
    if not settings.is_local:
        return Missing("staging files are in a bucket")
    folder: Path = settings.staging_root
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free
