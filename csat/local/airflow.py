"""Airflow on one machine: its four components, their settings, and their health."""

import base64
import json
import secrets
from pathlib import Path

from csat.clients import airflow_api
from csat.clients.airflow_api import USER, AirflowError, passwords_file
from csat.contract.settings import ROOT, Settings
from csat.local import postgres
from csat.local.secret_files import secret, write_private

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
_BIN = ROOT / ".venvs" / "airflow" / "bin"
# As Airflow's health response names them
_HEALTH_NAMES = {
    "api-server": "metadatabase",
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}


def python() -> Path:
    """Airflow's own Python."""
    return _BIN / "python"


def home(settings: Settings) -> Path:
    """AIRFLOW_HOME: task logs, configuration."""
    return settings.state / "airflow"


def password(settings: Settings) -> str:
    """The password of the user; created at the first call."""
    path = passwords_file(settings)
    if not path.exists():
        write_private(path, json.dumps({USER: secrets.token_urlsafe(12)}))
    return airflow_api.password(settings)


def command(component: str) -> list[str]:
    """The command line of a component."""
    command = [str(_BIN / "airflow"), component]
    # The task log server listens on every address; on one machine the API server reads the files itself
    return [*command, "--skip-serve-logs"] if component in ("scheduler", "triggerer") else command


def migrate_command() -> list[str]:
    """The command line that creates the database, or migrates it to this Airflow's version."""
    return [str(_BIN / "airflow"), "db", "migrate"]


def clean_command() -> list[str]:
    """The command line that deletes old rows of the database; its options say which."""
    return [str(_BIN / "airflow"), "db", "clean"]


def version() -> str:
    """Version of the installed Airflow; empty if there is none."""
    found = sorted(_BIN.parent.glob("lib/python*/site-packages/apache_airflow-*.dist-info"))
    return found[-1].name.removesuffix(".dist-info").partition("-")[2] if found else ""


def is_migrated(settings: Settings) -> bool:
    """Whether the database has this Airflow's version."""
    return _migrated_file(settings).exists() and _migrated_file(settings).read_text() == version()


def mark_migrated(settings: Settings) -> None:
    """Record that the database has this Airflow's version."""
    _migrated_file(settings).write_text(version())


def former_database(settings: Settings) -> Path | None:
    """The file in which an earlier release stored Airflow's database, if it still exists."""
    path = home(settings) / "airflow.db"
    return path if path.exists() else None


def _migrated_file(settings: Settings) -> Path:
    # Beside the database that it describes, if that is the stack's own: both are deleted together
    return (postgres.folder(settings) if postgres.is_used(settings) else home(settings)) / "migrated"


def variables(settings: Settings) -> dict[str, str]:
    """Every environment variable of Airflow's components; some are secret."""
    password(settings)
    state = settings.state
    options = {
        "CORE__DAGS_FOLDER": ROOT / "dags",
        "CORE__PLUGINS_FOLDER": home(settings) / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": 8,
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{settings.airflow_port}/execution/",
        "CORE__FERNET_KEY": secret(state, "airflow_fernet_key", _fernet_key),
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": passwords_file(settings),
        "DATABASE__SQL_ALCHEMY_CONN": _database(settings),
        "API__HOST": "127.0.0.1",
        "API__PORT": settings.airflow_port,
        "API__BASE_URL": settings.airflow,
        "API__WORKERS": 1,
        "API__SECRET_KEY": secret(state, "airflow_secret_key"),
        "API_AUTH__JWT_SECRET": secret(state, "airflow_jwt_secret", lambda: secrets.token_urlsafe(64)),
        # A changed file is parsed at once, whatever this value
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 120,
        # A worker sleeps this long at its end, and the scheduler between its rounds: both delay the stream's restart
        "WORKERS__MIN_HEARTBEAT_INTERVAL": 1,
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.5,
        # A killed worker is detected by its missing heartbeats, one per second: not after five minutes
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 60,
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 60,
        "LOGGING__BASE_LOG_FOLDER": home(settings) / "logs",
        "LOGGING__WORKER_LOG_SERVER_PORT": settings.airflow_worker_log_port,
        "LOGGING__TRIGGER_LOG_SERVER_PORT": settings.airflow_trigger_log_port,
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }
    named = {f"AIRFLOW__{name}": str(value) for name, value in options.items()}
    # Airflow renames its processes; the name must not overwrite the environment that shows their stack
    return {"AIRFLOW_HOME": str(home(settings)), "DO_NOT_TRACK": "1", "SPT_NOENV": "1", **named}


def _database(settings: Settings) -> str:
    user, _, address = (settings.airflow_database_url or postgres.url(settings.postgres_port)).rpartition("@")
    return f"{user}:{secret(settings.state, 'postgres')}@{address}"


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def health(settings: Settings, timeout_seconds: float = 3) -> dict[str, bool]:
    """Whether the API reports each component as healthy; none is if it does not respond."""
    try:
        found = airflow_api.health(settings, timeout_seconds)
    except AirflowError:
        return dict.fromkeys(COMPONENTS, False)
    return {name: (found.get(key) or {}).get("status") == "healthy" for name, key in _HEALTH_NAMES.items()}
