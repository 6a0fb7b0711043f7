"""Starts and stops the one-machine stack. Both may be called at any time, and again after any interruption."""

import fcntl
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from csat.bigquery import landing_migration, tables
from csat.bigquery.client import Warehouse
from csat.clients import airflow_api
from csat.clients.supervisor import ALIVE
from csat.contract.errors import CsatError
from csat.contract.polling import poll
from csat.contract.settings import Settings
from csat.local import airflow, dashboard, doctor, kafka, postgres, processes, shutdown, supervisord
from csat.local.programs import AIRFLOW, BIGQUERY, DASHBOARD, DBT, KAFKA, MIGRATE, POSTGRES, log_file
from csat.local.readiness import bigquery_is_ready, wait_until
from csat.local.secret_files import private_folder, secret
from csat.local.supervisord import Supervisord, SupervisordError

_SUPERVISORD_SECONDS, _KAFKA_SECONDS, _BIGQUERY_SECONDS = 30, 90, 90
_POSTGRES_SECONDS, _MIGRATE_SECONDS, _AIRFLOW_SECONDS, _DASHBOARD_SECONDS = 90, 180, 240, 90
_POLL_SECONDS = 0.2

Progress = Callable[[str], None]


def up(settings: Settings, on_progress: Progress, has_airflow: bool = True, has_dashboard: bool = True) -> None:
    """Start what does not run; returns when every service is ready.

    Raises the named errors of doctor, readiness, supervisord, kafka and the warehouse.
    """
    _require_local(settings)
    doctor.require_own(settings)
    private_folder(settings.state)
    with _locked(settings):
        _stop_outdated(settings, on_progress)
        doctor.require(settings)
        if supervisord.process(settings) is None:
            _start_supervisord(settings, on_progress)
        _start_services(settings, on_progress, has_airflow)
        if has_dashboard:
            Supervisord(settings).start(DASHBOARD)
        if has_airflow:
            _start_airflow(settings, on_progress)
        if has_dashboard:
            wait_until(settings, DASHBOARD, lambda: dashboard.is_ready(settings), _DASHBOARD_SECONDS)
            on_progress(f"the dashboard is ready at {settings.dashboard}")


def down(settings: Settings, on_progress: Progress) -> None:
    """Stop every process of the stack, the stream after its batch; returns when all have exited. Raises CsatError."""
    doctor.require_own(settings)
    if not settings.state.exists():
        return
    with _locked(settings):
        shutdown.end_stack(settings, on_progress)


@contextmanager
def running(settings: Settings, on_progress: Progress, **parts: bool) -> Iterator[None]:
    """A stack for the duration of the block; it is stopped even if its start fails or SIGTERM arrives.

    `parts` are the keyword arguments of `up`. Call it from the main thread only, since it handles SIGTERM.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit("error: stopped by SIGTERM"))
    try:
        up(settings, on_progress, **parts)
        yield
    finally:
        down(settings, on_progress)
        signal.signal(signal.SIGTERM, before)


def restart(settings: Settings, on_progress: Progress, **parts: bool) -> None:
    """Stop what runs, and start it again; `parts` are the keyword arguments of `up`. The data stays."""
    _require_local(settings)
    down(settings, on_progress)
    up(settings, on_progress, **parts)


def reset(settings: Settings, on_progress: Progress) -> None:
    """Stop the stack and delete its state folder: data, logs, secrets."""
    down(settings, on_progress)
    on_progress(f"deleting {settings.state}")
    if settings.state.exists():
        shutil.rmtree(settings.state)


def _require_local(settings: Settings) -> None:
    if not settings.is_local:
        raise CsatError(f"CSAT_TARGET={settings.target} has no local stack", "set CSAT_TARGET=local")


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    with (settings.state / "stack.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CsatError(f"another csat up or down is running on {settings.state}", "wait until it ends") from error
        yield


def _stop_outdated(settings: Settings, on_progress: Progress) -> None:
    """Stop all processes, unless a current supervisord runs."""
    running = supervisord.process(settings)
    if running is not None and supervisord.is_current(settings, running) and _is_responding(settings):
        return
    if running is not None:
        on_progress("settings or code changed: restarting")
        shutdown.end_stack(settings, on_progress)
    elif count := processes.end_all(settings.state, shutdown.GRACE_SECONDS):
        on_progress(f"ended {count} processes left by an earlier stack")


def _is_responding(settings: Settings) -> bool:
    try:
        return bool(Supervisord(settings).programs())
    except SupervisordError:
        return False


def _start_supervisord(settings: Settings, on_progress: Progress) -> None:
    on_progress("starting supervisord")
    for folder in (settings.state / "bigquery", settings.staging_root / _bucket(settings), airflow.home(settings)):
        folder.mkdir(parents=True, exist_ok=True)
    kafka.prepare(settings)
    supervisord.launch(settings)
    if not poll(
        lambda: supervisord.process(settings) is not None and _is_responding(settings),
        _SUPERVISORD_SECONDS,
        _POLL_SECONDS,
    ):
        raise CsatError("supervisord does not respond", f"read {log_file(settings, 'supervisord')}")


def _bucket(settings: Settings) -> str:
    return settings.staging_uri.removeprefix("gs://").partition("/")[0]


def _start_services(settings: Settings, on_progress: Progress, has_airflow: bool) -> None:
    on_progress("starting Kafka and the BigQuery emulator")
    supervisor = Supervisord(settings)
    supervisor.start(KAFKA, BIGQUERY)
    if has_airflow:
        if postgres.is_used(settings):
            _start_postgres(settings, supervisor)
        _start_migration(settings, supervisor)
    wait_until(settings, KAFKA, lambda: kafka.is_ready(settings), _KAFKA_SECONDS)
    kafka.create_topic(settings)
    on_progress(f"Kafka is ready at {settings.bootstrap_servers}")
    wait_until(settings, BIGQUERY, lambda: bigquery_is_ready(settings), _BIGQUERY_SECONDS)
    with Warehouse(settings) as warehouse:
        tables.create_datasets(warehouse)
        landing_migration.create_or_migrate(warehouse, on_progress)
        tables.create_ops_tables(warehouse)
    on_progress(f"BigQuery is ready at {settings.endpoint}")


def _start_postgres(settings: Settings, supervisor: Supervisord) -> None:
    password = secret(settings.state, "postgres")
    if supervisor.programs()[POSTGRES]["statename"] not in ALIVE:
        postgres.prepare(postgres.data(settings), password)
        supervisor.start(POSTGRES)
    wait_until(settings, POSTGRES, lambda: postgres.is_ready(settings.postgres_port), _POSTGRES_SECONDS)
    postgres.require_login(settings.postgres_port, password, settings.state / "secrets" / "postgres")


def _start_migration(settings: Settings, supervisor: Supervisord) -> None:
    if airflow.is_migrated(settings) or supervisor.programs()[MIGRATE]["statename"] in ALIVE:
        return
    supervisor.start(MIGRATE)


def _has_migrated(supervisor: Supervisord) -> bool:
    program = supervisor.programs()[MIGRATE]
    return bool(program["statename"] == "EXITED" and program["exitstatus"] == 0)


def _is_healthy(settings: Settings, supervisor: Supervisord, name: str) -> bool:
    is_running = supervisor.programs()[name]["statename"] == "RUNNING"
    return is_running and airflow.health(settings)[name.removeprefix("airflow-")]


def _start_airflow(settings: Settings, on_progress: Progress) -> None:
    supervisor = Supervisord(settings)
    if not airflow.is_migrated(settings):
        on_progress("creating Airflow's database")
        wait_until(settings, MIGRATE, lambda: _has_migrated(supervisor), _MIGRATE_SECONDS, ("FATAL", "EXITED"))
        airflow.mark_migrated(settings)
        if former := airflow.former_database(settings):
            on_progress(f"Airflow's database is now in PostgreSQL; past runs remain in {former}")
    on_progress("starting Airflow")
    supervisor.start(*AIRFLOW)
    for name in AIRFLOW:
        wait_until(settings, name, partial(_is_healthy, settings, supervisor, name), _AIRFLOW_SECONDS)
        if name == AIRFLOW[0]:  # no task may run before its pool exists
            airflow_api.make_pools(settings)
    supervisor.start(DBT)  # only now: its imports use a core for seconds
    on_progress(f"Airflow is ready at {settings.airflow}")
