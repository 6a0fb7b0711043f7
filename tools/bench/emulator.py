"""A separate BigQuery emulator and dbt server: all that the marts need."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from csat.bigquery.client import Warehouse
from csat.bigquery.tables import create_datasets, create_landing_table, create_ops_tables
from csat.contract.errors import CsatError
from csat.contract.polling import poll
from csat.contract.settings import ROOT, Settings, environment
from csat.local.ports import free_ports
from csat.local.programs import EMULATOR_PYTHON, PYTHON, emulator_options, emulator_variables
from csat.local.readiness import bigquery_is_ready
from csat.local.secret_files import private_folder
from csat.marts import dbt_process

_START_SECONDS = 90
_END_SECONDS = 30
_POLL_SECONDS = 0.2
EMULATOR = ("-m", "csat.local.emulator.serve")
DBT_SERVER = ("-m", "csat.marts.dbt_server")


def own_settings(state: Path) -> Settings:
    """Settings of an emulator on free ports, with its data in this folder."""
    ports = {name: port for name, port in free_ports().items() if name in ("bigquery_port", "bigquery_grpc_port")}
    return Settings(state_dir=state, _env_file=None, **ports)


@contextmanager
def emulator(settings: Settings, program: Sequence[str] = EMULATOR) -> Iterator["subprocess.Popen[bytes]"]:
    """The process of an emulator that is ready; it is stopped at the end."""
    private_folder(settings.state)
    command = [str(EMULATOR_PYTHON), *program, *emulator_options(settings)]
    with _process("bigquery", settings, command, emulator_variables(settings)) as process:
        _wait(settings, "bigquery", process, lambda: bigquery_is_ready(settings))
        yield process


@contextmanager
def dbt_ready(settings: Settings, program: Sequence[str] = DBT_SERVER) -> Iterator["subprocess.Popen[bytes]"]:
    """The process of a running dbt server; it is stopped at the end."""
    with _process("dbt", settings, [str(PYTHON), *program], settings.as_environment()) as process:
        _wait(settings, "dbt", process, lambda: _listens(settings))
        yield process


@contextmanager
def empty_warehouse(settings: Settings) -> Iterator[Warehouse]:
    """A connection to the emulator, with every dataset and table that the stream and the builds write."""
    with Warehouse(settings) as warehouse:
        create_datasets(warehouse)
        create_landing_table(warehouse)
        create_ops_tables(warehouse)
        yield warehouse


@contextmanager
def _process(
    name: str, settings: Settings, command: list[str], variables: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    log_file = _log(settings, name)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            command, env=environment(**variables), cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(_END_SECONDS)


def _wait(settings: Settings, name: str, process: "subprocess.Popen[bytes]", is_ready: Callable[[], bool]) -> None:
    poll(lambda: is_ready() or process.poll() is not None, _START_SECONDS, _POLL_SECONDS)
    if not is_ready():
        raise CsatError(f"{name} did not start", f"read {_log(settings, name)}")


def _listens(settings: Settings) -> bool:
    try:
        dbt_process.connect(dbt_process.socket_file(settings)).close()
    except OSError:
        return False
    return True


def _log(settings: Settings, name: str) -> Path:
    return settings.state / "logs" / f"{name}.log"
