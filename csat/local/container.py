"""What the containers of docker-compose.yaml run: `python -m csat.local.container …`.

The local stack's own parts, at the addresses that the container's environment sets. Each command imports its part when
it is called: no image holds all of them.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NoReturn
from urllib.request import Request, urlopen

from csat.bigquery import login as bigquery_login
from csat.contract.errors import CsatError
from csat.contract.settings import ROOT, Settings, environment, get_settings

_AIRFLOW_SECONDS, _RESPONSE_SECONDS = 600, 5
_POLL_SECONDS = 0.3
# Airflow has all secrets; the other containers have what these volumes hold
GIVEN = {
    "bigquery": ("bigquery_token",),
    "commands": ("airflow_passwords.json", "bigquery_token"),
    "postgres": ("postgres",),
    "stream": ("bigquery_token", "supervisord"),
}


def secrets(settings: Settings) -> None:
    """Create missing passwords and keys, and copy to each volume those that its containers need."""
    from csat.local import airflow
    from csat.local.secret_files import secret, write_private

    airflow.variables(settings)
    for name in ("bigquery_token", "postgres", "supervisord"):
        secret(settings.state, name)
    for volume, names in GIVEN.items():
        for name in names:
            write_private(settings.state / "given" / volume / name, (settings.state / "secrets" / name).read_text())


def prepare(settings: Settings) -> None:
    """Create the topic and, on the emulator, the tables, if they are missing; Terraform creates BigQuery's.

    Raises CsatError if Google's key cannot be read.
    """
    from csat.bigquery import landing_migration, tables
    from csat.bigquery.client import Warehouse
    from csat.local import kafka

    _check_key(environment().get("GOOGLE_APPLICATION_CREDENTIALS", ""))
    kafka.create_topic(settings, settings.bootstrap_servers)
    if settings.is_local:
        with Warehouse(settings) as warehouse:
            tables.create_datasets(warehouse)
            landing_migration.create_or_migrate(warehouse, lambda line: print(line, file=sys.stderr, flush=True))
            tables.create_ops_tables(warehouse)


def _check_key(path: str) -> None:
    if path and not os.access(path, os.R_OK):
        raise CsatError(
            f"user {os.getuid()} of the containers cannot read the file of GOOGLE_APPLICATION_CREDENTIALS",
            f"setfacl -m u:{os.getuid()}:r FILE, or chmod 644 FILE in a folder of mode 700",
        )


def stream(settings: Settings, host: str) -> int:
    """Run supervisord with the stream's program, which Airflow starts; returns its exit code after SIGTERM.

    The driver ends its batch first, so the container needs a minute to stop.
    """
    from csat.local.programs import stream as stream_program
    from csat.local.secret_files import write_private
    from csat.local.shutdown import end_stream
    from csat.local.supervisord import SupervisordError, conf

    folder = Path(tempfile.gettempdir())
    write_private(folder / "supervisord.conf", conf(settings, [stream_program()], host, folder))
    has_to_stop = False

    def request_stop(*_: object) -> None:
        nonlocal has_to_stop
        has_to_stop = True

    signal.signal(signal.SIGTERM, request_stop)
    command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(folder / "supervisord.conf")]
    with subprocess.Popen(command, cwd=ROOT, env=environment(**settings.as_environment())) as process:
        while process.poll() is None and not has_to_stop:
            time.sleep(_POLL_SECONDS)
        if process.poll() is None:
            try:
                end_stream(settings, lambda line: print(line, file=sys.stderr, flush=True))
            except SupervisordError as error:
                print(error, file=sys.stderr)
            process.terminate()
    return process.returncode


def migrate(settings: Settings) -> None:
    """Create Airflow's database, or migrate it to this version. Raises CsatError."""
    from csat.local import airflow

    airflow.home(settings).mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        airflow.migrate_command(), env=_airflow_variables(settings), timeout=_AIRFLOW_SECONDS, check=False
    )
    if done.returncode != 0:
        raise CsatError("Airflow could not create its database", "read its output above")
    airflow.mark_migrated(settings)


def component(settings: Settings, name: str) -> NoReturn:
    """Become a component of Airflow; no task is scheduled before its pool exists. Raises AirflowError."""
    from csat.clients import airflow_api
    from csat.local import airflow

    variables = _airflow_variables(settings)
    if name == "api-server":
        # Airflow opens it for writing, but secrets are read-only
        passwords = shutil.copy(airflow_api.passwords_file(settings), tempfile.gettempdir())
        variables["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"] = str(passwords)
    if name == "scheduler":
        airflow_api.make_pools(settings)
    command = airflow.command(name)
    os.execve(command[0], command, variables)  # noqa: S606  # a shell would swallow the signals


def _airflow_variables(settings: Settings) -> dict[str, str]:
    """The variables of the local stack; Airflow variables set on the container take precedence."""
    from csat.local import airflow

    given = {name: value for name, value in environment().items() if name.startswith("AIRFLOW__")}
    return environment(**(airflow.variables(settings) | given))


def check(settings: Settings, name: str) -> None:
    """Whether the container's program works: its health check. Raises CsatError."""
    checks = {
        "bigquery": _is_emulator_ready,
        "dashboard": _is_dashboard_ready,
        "kafka": _is_kafka_ready,
        "stream": _is_supervisord_ready,
    }
    if not checks.get(name, partial(_is_component_healthy, name=name))(settings):
        raise CsatError(f"{name} does not respond")


def _is_component_healthy(settings: Settings, name: str) -> bool:
    from csat.local import airflow

    return airflow.health(settings)[name]


def _is_emulator_ready(settings: Settings) -> bool:
    """With the standard library: its image has neither requests nor Google's client."""
    headers = bigquery_login.headers(settings)
    url = f"{settings.endpoint}/bigquery/v2/projects/{settings.project_id}/datasets"
    try:
        with urlopen(Request(url, headers=headers), timeout=_RESPONSE_SECONDS):  # noqa: S310  # an address of the settings
            return True
    except OSError:
        return False


def _is_dashboard_ready(settings: Settings) -> bool:
    from csat.local import dashboard

    return dashboard.is_ready(settings)


def _is_kafka_ready(settings: Settings) -> bool:
    from csat.local import kafka

    return kafka.is_ready(settings, settings.bootstrap_servers)


def _is_supervisord_ready(settings: Settings) -> bool:
    from csat.local.supervisord import Supervisord

    return bool(Supervisord(settings).programs())


def main() -> None:
    """Entry point of the containers."""
    parser = argparse.ArgumentParser(prog="python -m csat.local.container", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for plain in (secrets, prepare, migrate):
        commands.add_parser(plain.__name__).set_defaults(run=plain)
    command = commands.add_parser(stream.__name__)
    command.add_argument("--host", default="127.0.0.1", help="where supervisord listens")
    command.set_defaults(run=stream)
    for named in (component, check):
        command = commands.add_parser(named.__name__)
        command.add_argument("name")
        command.set_defaults(run=named)
    arguments = vars(parser.parse_args())
    run = arguments.pop("run")
    try:
        sys.exit(run(get_settings(), **arguments))
    except CsatError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
