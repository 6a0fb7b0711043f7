"""What `csat status` shows: every part is queried in parallel with its own short timeout."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from csat.bigquery.client import Warehouse, WarehouseError
from csat.bigquery.landing_counts import landing_counts
from csat.clients.listening import RefusedError, Server, require_listening
from csat.clients.supervisor import ALIVE
from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import Settings
from csat.control.state_files import StateFileError, StateFiles
from csat.control.verdict import Policy, Verdict, judge
from csat.kafka.login import check_access
from csat.local import airflow, dashboard, kafka, postgres
from csat.local.programs import AIRFLOW, BIGQUERY, COMPONENTS, DASHBOARD, KAFKA, POSTGRES, STREAM
from csat.local.readiness import bigquery_is_ready
from csat.local.supervisord import Supervisord, SupervisordError
from csat.marts.builds import last_record

HEALTHY, STARTING, UNHEALTHY, UNSUPERVISED, DOWN = "healthy", "starting", "unhealthy", "unsupervised", "down"
_GOOD_VERDICTS = {Verdict.HEALTHY, Verdict.IDLE}
_ABSENT_VERDICTS = {Verdict.STOPPED, Verdict.NEVER_STARTED}
_PROBE_SECONDS = 3
_CLOUD_SECONDS = 15  # a query on real BigQuery takes seconds
_STARTUP_SECONDS = 120  # how long a part may take until it responds
_NO_ROWS = {"rows": None, "accepted": None, "rejected": None}
_NO_BUILD = {"built_at": None, "age_seconds": None}

Programs = Mapping[str, Mapping[str, Any]]


def status(settings: Settings, now: datetime | None = None) -> dict[str, Any]:
    """The state of every part as JSON values; a part that does not respond is down, and its numbers are null."""
    now = now or datetime.now(UTC)
    seconds = _PROBE_SECONDS if settings.is_local else _CLOUD_SECONDS
    short = settings.model_copy(update={"bigquery_timeout_seconds": seconds, "bigquery_job_timeout_seconds": seconds})
    with ThreadPoolExecutor() as pool:
        programs = pool.submit(_programs, settings)
        kafka_ready = pool.submit(_is_kafka_ready, settings)
        airflow_health = pool.submit(airflow.health, settings, _PROBE_SECONDS)
        dashboard_ready = pool.submit(dashboard.is_ready, settings, _PROBE_SECONDS)
        bigquery = pool.submit(_query_bigquery, short, now)
        stream = stream_status(settings, now)
        is_bigquery_ready, landing, marts = bigquery.result()
        is_ready = {
            KAFKA: kafka_ready.result(),
            BIGQUERY: is_bigquery_ready,
            STREAM: stream["state"] in _GOOD_VERDICTS,
            DASHBOARD: dashboard_ready.result(),
            **{f"airflow-{name}": is_healthy for name, is_healthy in airflow_health.result().items()},
        }
        shown = shown_components(settings)
        if POSTGRES in shown:
            is_ready[POSTGRES] = postgres.is_ready(settings.postgres_port)
        if settings.has_own_stack:
            components = component_states(programs.result(), is_ready, now)
        else:
            components = answered_states(is_ready, Verdict(stream["state"]))
    urls = _urls(settings)
    return {
        "project": settings.project_id,
        "components": {name: {"state": components[name], "url": urls.get(name)} for name in shown},
        "stream": stream,
        "landing": landing,
        "marts": marts,
    }


def is_healthy(document: Mapping[str, Any]) -> bool:
    """Whether all components of a status document are healthy."""
    return all(component["state"] == HEALTHY for component in document["components"].values())


def shown_components(settings: Settings) -> list[str]:
    """The components to show: on Google Cloud, Airflow and the dashboard only if their addresses are set."""
    airflow_is_known = settings.is_local or bool(settings.airflow_url)
    dashboard_is_known = settings.is_local or bool(settings.dashboard_url)
    has_own_postgres = settings.has_own_stack and postgres.is_used(settings)
    known = {**dict.fromkeys(AIRFLOW, airflow_is_known), DASHBOARD: dashboard_is_known, POSTGRES: has_own_postgres}
    return [name for name in COMPONENTS if known.get(name, True)]


def answered_states(is_ready: Mapping[str, bool], verdict: Verdict) -> dict[str, str]:
    """Each component's state without a local supervisord: by its own response, the stream by its verdict."""
    states = {name: HEALTHY if is_up else DOWN for name, is_up in is_ready.items()}
    if not is_ready[STREAM]:
        is_absent = verdict in _ABSENT_VERDICTS
        states[STREAM] = STARTING if verdict is Verdict.STARTING else DOWN if is_absent else UNHEALTHY
    return states


def component_states(programs: Programs | None, is_ready: Mapping[str, bool], now: datetime) -> dict[str, str]:
    """Each component's state from supervisord's report (None: it does not respond) and its own response."""
    if programs is None:
        return {name: UNSUPERVISED if is_up and name != STREAM else DOWN for name, is_up in is_ready.items()}
    return {name: _state(programs.get(name, {}), is_up, now) for name, is_up in is_ready.items()}


def _state(program: Mapping[str, Any], is_up: bool, now: datetime) -> str:
    if program.get("statename") not in ALIVE:
        return DOWN
    if is_up and program["statename"] == "RUNNING":
        return HEALTHY
    is_young = now.timestamp() - program["start"] < _STARTUP_SECONDS
    return STARTING if is_young and program["statename"] != "BACKOFF" else UNHEALTHY


def stream_status(settings: Settings, now: datetime) -> dict[str, Any]:
    """The stream's status from its two state files; `restarts` counts the recent starts after the first."""
    state_files = StateFiles(settings.state_files)
    try:
        desired_state, heartbeat = state_files.desired_state(), state_files.heartbeat()
    except (StateFileError, OSError):
        desired_state, heartbeat = None, None
    names = ("token", "batch_id", "progress_age_seconds", "backlog", "rows_committed", "restarts")
    empty: dict[str, Any] = {"state": Verdict.STOPPED.value, **dict.fromkeys(names)}
    if desired_state is None:
        return empty
    verdict = judge(heartbeat, desired_state, now, Policy.of(settings))
    restarts = max(0, len(desired_state.started_at) - 1)
    known = {**empty, "state": verdict.value, "token": desired_state.token, "restarts": restarts}
    if heartbeat is None or heartbeat.token != desired_state.token:
        return known
    progress_age = (now - heartbeat.progress_at).total_seconds() if heartbeat.progress_at else None
    return {
        **known,
        "batch_id": heartbeat.batch_id,
        "progress_age_seconds": progress_age,
        "backlog": heartbeat.backlog,
        "rows_committed": heartbeat.rows_committed,
    }


def _is_kafka_ready(settings: Settings) -> bool:
    try:
        require_listening(settings, Server.KAFKA)
        if settings.kafka_security_protocol == "PLAINTEXT":
            return kafka.is_ready(settings, settings.bootstrap_servers)
        check_access(settings)
    except (RefusedError, KafkaAccessError):
        return False
    return True


def _programs(settings: Settings) -> Programs | None:
    if not settings.has_own_stack or not (settings.state / "secrets").exists():
        return None  # never started; a query would create the password
    try:
        return Supervisord(settings, _PROBE_SECONDS).programs()
    except SupervisordError:
        return None


def _query_bigquery(settings: Settings, now: datetime) -> tuple[bool, dict[str, Any], dict[str, Any]]:
    """Whether BigQuery answers every query, and what it answers: a component with unknown numbers is not healthy."""
    if settings.endpoint and not bigquery_is_ready(settings, _PROBE_SECONDS):
        return False, _NO_ROWS, _NO_BUILD
    with Warehouse(settings) as warehouse:
        landing = _answer(lambda: landing_counts(warehouse))
        marts = _answer(lambda: _last_build(warehouse, now))
    return None not in (landing, marts), landing or _NO_ROWS, marts or _NO_BUILD


def _last_build(warehouse: Warehouse, now: datetime) -> dict[str, Any]:
    record = last_record(warehouse)
    if record is None:
        return _NO_BUILD
    return {"built_at": record.built_at.isoformat(), "age_seconds": (now - record.built_at).total_seconds()}


def _answer(query: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return query()
    except WarehouseError:
        return None


def _urls(settings: Settings) -> dict[str, str]:
    return {
        KAFKA: settings.bootstrap_servers,
        BIGQUERY: settings.endpoint,
        POSTGRES: f"{postgres.ADDRESS}:{settings.postgres_port}",
        AIRFLOW[0]: settings.airflow,
        DASHBOARD: settings.dashboard,
    }
