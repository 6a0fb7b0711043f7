"""What the stack needs before it can start, each with its fix."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from csat.bigquery import landing_migration
from csat.bigquery.client import Warehouse, WarehouseError
from csat.clients.listening import RefusedError, Server, require_listening
from csat.contract import landing
from csat.contract.errors import CsatError
from csat.contract.kafka_access import KafkaAccessError
from csat.contract.settings import MIN_FREE_BYTES, Settings
from csat.kafka import topic
from csat.local import airflow, jars, postgres, postgres_programs, processes
from csat.local.java import find_java
from csat.local.ports import is_free
from csat.local.programs import EMULATOR_PYTHON, PYTHON

_SETUP = "make setup"


@dataclass(frozen=True)
class Check:
    """The result of one check; the fix is empty if it passes."""

    name: str
    is_ok: bool
    detail: str
    fix: str = ""


def require_own(settings: Settings) -> None:
    """Raise CsatError if the parts are containers, not processes of this machine."""
    if settings.supervisord_url:
        raise CsatError(
            f"the parts run elsewhere (CSAT_SUPERVISORD_URL={settings.supervisord_url})",
            "csat status shows them and docker compose starts and stops them; leave CSAT_SUPERVISORD_URL empty for a "
            "stack on this machine",
        )


def checks(settings: Settings) -> list[Check]:
    """Every check, in the order of a first installation. Ports that this stack holds itself count as free.

    Raises CsatError if the parts run elsewhere.
    """
    require_own(settings)
    groups: list[Callable[[Settings], list[Check]]] = [
        lambda _: [_java()],
        lambda _: _environments(),
        lambda settings: [_jars(settings)],
        lambda settings: [_state_folder(settings)],
        lambda settings: [_disk(settings)],
        _ports,
    ]
    return [check for group in groups for check in group(settings)]


def topic_check(settings: Settings) -> Check:
    """Whether the topic is configured as the stream needs it; the local stack's broker may be down."""
    if not settings.kafka_bootstrap_servers and is_free(settings.kafka_port):
        return Check("topic", True, "not checked: the broker is down")
    try:
        require_listening(settings, Server.KAFKA)
        found = topic.topic_facts(settings)
    except (RefusedError, KafkaAccessError) as error:
        return Check(
            "topic", False, f"not checked: {error}", "correct that, or read docs/runbook.md, kafka_unreachable"
        )
    if found is None:
        return Check("topic", True, topic.unreadable(settings))
    if found.problems:
        return Check("topic", False, "; ".join(found.problems), topic.fix(settings))
    return Check("topic", True, found.retention)


def landing_check(settings: Settings) -> Check:
    """Whether the landing table has today's partitions; the local stack's emulator may be down."""
    name = "landing table"
    if settings.has_own_stack and is_free(settings.bigquery_port):
        return Check(name, True, "not checked: the emulator is down")
    try:
        require_listening(settings, Server.BIGQUERY)
        with Warehouse(settings) as warehouse:
            found = landing_migration.problem(warehouse)
    except (RefusedError, WarehouseError) as error:
        fix = "correct that, or read docs/runbook.md, bigquery_unreachable"
        return Check(name, False, f"not checked: {error}", fix)
    if found:
        return Check(name, False, found.message, found.fix)
    return Check(name, True, f"partitioned by {landing.PARTITION_COLUMN}, or not created yet")


def require(settings: Settings) -> None:
    """Raise CsatError if a check fails."""
    failed = [check for check in checks(settings) if not check.is_ok]
    if failed:
        raise CsatError("; ".join(str(CsatError(check.detail, check.fix)) for check in failed))


def _java() -> Check:
    try:
        return Check("java", True, f"Java in {find_java()}")
    except CsatError as error:
        return Check("java", False, error.message, error.fix)


def _environments() -> list[Check]:
    programs = {
        "pipeline": PYTHON,
        "airflow": airflow.python(),
        "emulator": EMULATOR_PYTHON,
        "postgres": postgres_programs.program("postgres"),
    }
    return [
        Check(f"environment {name}", True, f"{path} exists")
        if path.exists()
        else Check(f"environment {name}", False, f"the {name} environment is missing ({path})", _SETUP)
        for name, path in programs.items()
    ]


def _jars(settings: Settings) -> Check:
    try:
        count = len(jars.kafka_jars(settings.jars_dir)) + len(jars.spark_jars(settings.jars_dir))
    except CsatError as error:
        return Check("jars", False, error.message, error.fix)
    return Check("jars", True, f"{count} jars in {settings.jars_dir}")


def _state_folder(settings: Settings) -> Check:
    draft = settings.state / ".writable"
    try:
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.touch()
        draft.unlink()
    except OSError as error:
        detail = f"CSAT_STATE_DIR={settings.state} cannot be written: {error.strerror}"
        return Check("state folder", False, detail, "set CSAT_STATE_DIR to a folder that you own")
    return Check("state folder", True, f"{settings.state} can be written")


def _disk(settings: Settings) -> Check:
    existing = next(folder for folder in (settings.state, *settings.state.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{free / 1024**3:.1f} GiB free at {existing}"
    if free >= MIN_FREE_BYTES:
        return Check("disk", True, detail)
    return Check("disk", False, detail, f"free {MIN_FREE_BYTES // 1024**3} GiB or set CSAT_STATE_DIR to another disk")


def _ports(settings: Settings) -> list[Check]:
    names = ["kafka_port", "kafka_controller_port", "bigquery_port", "bigquery_grpc_port", "airflow_port"]
    names += ["dashboard_port", "supervisord_port", *(["postgres_port"] if postgres.is_used(settings) else [])]
    return [port_check(name, getattr(settings, name), settings.state) for name in names]


def port_check(setting: str, port: int, state: Path) -> Check:
    """Whether a port is free, or held by the stack of this state folder."""
    variable = f"CSAT_{setting.upper()}"
    name = f"port {port}"
    holder = None if is_free(port) else processes.holder(port)
    if holder is None and is_free(port):  # checked twice: a program that is exiting may have released it
        return Check(name, True, f"{variable}={port} is free")
    if holder is not None and processes.is_of_stack(holder, state):
        return Check(name, True, f"{variable}={port} is held by this stack")
    who = f"{holder.name()} (process {holder.pid})" if holder else "another process"
    return Check(name, False, f"{variable}={port} is taken by {who}", f"end it, or set {variable} to a free port")
