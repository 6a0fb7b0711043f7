"""The programs of the stack: what supervisord runs, with which command and variables."""

from dataclasses import dataclass, field
from pathlib import Path

from csat.bigquery import login as bigquery_login
from csat.contract.settings import ROOT, Settings
from csat.local import airflow, dashboard, kafka, postgres
from csat.local.java import java_variables
from csat.local.secret_files import bigquery_token

KAFKA, BIGQUERY, STREAM, PRODUCER, MIGRATE = "kafka", "bigquery", "stream", "producer", "airflow-migrate"
DASHBOARD, DBT, POSTGRES = "dashboard", "dbt", "postgres"
AIRFLOW = tuple(f"airflow-{name}" for name in airflow.COMPONENTS)
COMPONENTS = (KAFKA, BIGQUERY, POSTGRES, *AIRFLOW, STREAM, DASHBOARD)  # what `csat status` shows
PYTHON = ROOT / ".venv" / "bin" / "python"
EMULATOR_PYTHON = ROOT / ".venvs" / "emulator" / "bin" / "python"
DEMO_EVENTS_PER_SECOND = 5
# Below the broker and the stream: a restarting stream must not wait for builds and their queries
_YIELDING = 5


@dataclass(frozen=True)
class Program:
    """One program of supervisord; it is started by the stack, or by Airflow, never by itself."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    is_restarted: bool = True
    start_seconds: int = 1
    stop_seconds: int = 20
    stop_signal: str = "TERM"
    niceness: int = 0


def programs(settings: Settings) -> list[Program]:
    """Every program of the stack."""
    variables = airflow.variables(settings)
    components = [
        Program(f"airflow-{name}", airflow.command(name), variables, start_seconds=3, niceness=_YIELDING)
        for name in airflow.COMPONENTS
    ]
    migrate = Program(MIGRATE, airflow.migrate_command(), variables, is_restarted=False, start_seconds=0)
    database = [_postgres(settings), migrate] if postgres.is_used(settings) else [migrate]
    return [_kafka(settings), _emulator(settings), *database, *components, _dbt(), stream(), _producer(), _dashboard()]


def log_file(settings: Settings, name: str) -> Path:
    """Where a program's output goes; supervisord's own log has the name supervisord."""
    return settings.state / "logs" / f"{name}.log"


def _kafka(settings: Settings) -> Program:
    return Program(KAFKA, kafka.command(settings))


def emulator_options(settings: Settings) -> list[str]:
    """The emulator's arguments after its module name; creates the token for its clients if it is missing."""
    token = bigquery_token(settings)
    addresses = ["--host", "127.0.0.1", "--port", settings.bigquery_port, "--grpc-port", settings.bigquery_grpc_port]
    data = ["--project", settings.project_id, "--data-dir", settings.state / "bigquery"]
    login = ["--token-file", token, "--key-file", bigquery_login.key_file(settings)]
    return [str(part) for part in (*addresses, *data, *login)]


def emulator_variables(settings: Settings) -> dict[str, str]:
    """What the emulator needs in its environment: the folder that it serves as gs://."""
    return {"GCS_LOCAL_ROOT": str(settings.staging_root)}


def _emulator(settings: Settings) -> Program:
    command = [str(EMULATOR_PYTHON), "-m", "csat.local.emulator.serve", *emulator_options(settings)]
    return Program(BIGQUERY, command, emulator_variables(settings), niceness=_YIELDING)


def _postgres(settings: Settings) -> Program:
    command = postgres.command(postgres.data(settings), settings.postgres_port, settings.state)
    # SIGINT stops it at once and cleanly; at SIGTERM it waits until its clients disconnect
    return Program(POSTGRES, command, stop_signal="INT", niceness=_YIELDING)


def _dbt() -> Program:
    # Not a component: without it a build starts dbt itself, and only takes longer. Below the emulator too, so that a
    # viewer's query runs before the next statement of a build
    return Program(DBT, [str(PYTHON), "-m", "csat.marts.dbt_server"], niceness=2 * _YIELDING)


def stream_variables() -> dict[str, str]:
    """The environment variables of a Spark driver; without them, its workers run whatever python3 is on PATH."""
    pythons = {"PYSPARK_PYTHON": str(PYTHON), "PYSPARK_DRIVER_PYTHON": str(PYTHON)}
    return {**pythons, "SPARK_LOCAL_IP": "127.0.0.1", **java_variables()}


def stream() -> Program:
    """The stream's driver."""
    command = [str(PYTHON), "-m", "spark.stream_responses", "--managed"]
    # Airflow judges and restarts the stream: a second restarter would race it. It also requests a clean stop before
    # supervisord does, so a driver that still runs soon after SIGTERM is frozen.
    return Program(STREAM, command, stream_variables(), is_restarted=False, start_seconds=0, stop_seconds=5)


def _producer() -> Program:
    command = [str(PYTHON), "-m", "csat.cli.main", "simulate", "--wait", "--rate", str(DEMO_EVENTS_PER_SECOND)]
    return Program(PRODUCER, command)


def _dashboard() -> Program:
    return Program(DASHBOARD, dashboard.command(PYTHON))  # normal priority: a person waits for it
