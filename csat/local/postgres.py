"""PostgreSQL on one machine, which holds Airflow's database: its programs, its data, and the user that it runs as.

It refuses to run as root. If the stack runs as root, the server runs as the owner of its data, a user without a name or
privileges, and reaches the folder as its working directory: the parent folders may be closed to that user.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.local import processes
from csat.local.postgres_programs import (
    ENVIRONMENT,
    copy_installed,
    is_root,
    nobody,
    program,
    server_uid,
    usable,
    version,
)

ADDRESS, NAME = "127.0.0.1", "airflow"  # NAME is that of the role and of its database
_PRIVATE, _SECONDS, _CLIENT_SECONDS = 0o700, 120, 10
# The role owns its database and nothing else. The superuser cannot log in
_LOGINS = f"host {NAME} {NAME} {ADDRESS}/32 scram-sha-256\n"
# For a database of some ten megabytes on a machine with few cores. Settings that protect data keep their defaults
_OPTIONS = {
    "listen_addresses": ADDRESS,
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "huge_pages": "off",
    "io_method": "sync",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "128MB",
    "min_wal_size": "32MB",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # a statement contains the data that it stores
}


def is_used(settings: Settings) -> bool:
    """Whether Airflow's database is in the stack's own PostgreSQL."""
    return not settings.airflow_database_url


def folder(settings: Settings) -> Path:
    """The folder of the database: the server's data, and a record of its version."""
    return settings.state / "postgres"


def data(settings: Settings) -> Path:
    """The server's data."""
    return folder(settings) / "data"


def url(port: int) -> str:
    """SQLAlchemy's address of Airflow's database, without the password."""
    return f"postgresql+psycopg2://{NAME}@{ADDRESS}:{port}/{NAME}"


def command(data: Path, port: int, stack: Path) -> list[str]:
    """The command line of the server, which names its stack: `stack` is the state folder."""
    prefix = [sys.executable, "-m", "csat.local.as_owner", str(data)] if is_root() else []
    options = {**_OPTIONS, "port": str(port), processes.MARK_OPTION: str(stack)}
    arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return [*prefix, str(usable() / "bin" / "postgres"), "-D", _path_for_server(data), *arguments]


def prepare(data: Path, password: str) -> None:
    """Create the data if it is missing, and repair what would keep the server from starting. Raises CsatError."""
    if not program("postgres").exists():
        raise CsatError(f"PostgreSQL is missing in {ENVIRONMENT}", "make setup")
    if not usable().exists():
        copy_installed(usable())
    if not data.exists():
        _make(data, password)
    _check_version(data)
    if is_root() and data.stat().st_uid == 0:  # the whole state folder was given to root
        _give(data, server_uid())
    _delete_stale_pid_file(data)


def is_ready(port: int) -> bool:
    """Whether the server accepts connections."""
    return program("pg_isready").exists() and _client("pg_isready", port, "-q").returncode == 0


def require_login(port: int, password: str, secret_file: Path) -> None:
    """Raise CsatError if the server refuses the password."""
    done = _client("psql", port, "-X", "-w", "-q", "-c", "select 1", PGPASSWORD=password)
    if done.returncode != 0:
        raise CsatError(
            f"PostgreSQL refuses the password in {secret_file}: {done.stderr.strip()}",
            "restore the file from when the database was created, or csat down and delete the folder postgres for an "
            "empty database",
        )


def _client(name: str, port: int, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [str(program(name)), "-h", ADDRESS, "-p", str(port), "-U", NAME, "-d", NAME, *options]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=_CLIENT_SECONDS, check=False)


def _make(data: Path, password: str) -> None:
    """Create the data of a new server with Airflow's role and its empty database: all of it or nothing."""
    draft = data.with_name(f"{data.name}.draft")
    if draft.exists():  # left by an interrupted attempt
        shutil.rmtree(draft)
    data.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    draft.mkdir(mode=_PRIVATE)
    if is_root():  # initdb wants a user with a name
        _give(draft, nobody())
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _run(draft, "initdb", ["--username=postgres", "--auth=reject", "--no-sync", "--no-instructions", *locale])
    quoted = password.replace("'", "''")
    statements = f"create role {NAME} login password '{quoted}'\ncreate database {NAME} owner {NAME}\n"
    strict = ["-c", "exit_on_error=on", "-c", f"log_min_error_statement={_OPTIONS['log_min_error_statement']}"]
    _run(draft, "postgres", [*strict, "postgres"], statements)
    (draft / "pg_hba.conf").write_text(_LOGINS)
    _run(draft, "initdb", ["--sync-only"])
    if is_root():
        _give(draft, server_uid())
    draft.rename(data)


def _run(data: Path, name: str, options: list[str], statements: str = "") -> None:
    mode = ["--single", "-D", _path_for_server(data)] if statements else ["-D", _path_for_server(data)]
    owner = data.stat()
    who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if is_root() else {}
    done = subprocess.run(
        [str(usable() / "bin" / name), *mode, *options],
        input=statements,
        cwd=data,  # entered before the user changes
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        **who,  # type: ignore[call-overload]  # a mapping of several types
    )
    if done.returncode != 0:
        raise CsatError(f"PostgreSQL could not create its data in {data}: {done.stderr.strip()[-500:]}")


def _check_version(data: Path) -> None:
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise CsatError(
            f"{data} holds no data of PostgreSQL: {error.strerror}", f"move {data.parent} away for an empty database"
        ) from error
    if found != version().partition(".")[0]:
        raise CsatError(
            f"{data} is of PostgreSQL {found}, which {version()} cannot read",
            f"move {data.parent} away for an empty database (only Airflow's past runs are lost), or go back to the "
            "release that made it",
        )


def _delete_stale_pid_file(data: Path) -> None:
    """Delete the pid file of a killed server if its process id now belongs to another program."""
    pid_file = data / "postmaster.pid"
    try:
        is_server = psutil.Process(int(pid_file.read_text().partition("\n")[0])).name() == "postgres"
    except FileNotFoundError:
        return
    except (ValueError, psutil.NoSuchProcess):
        is_server = False
    if not is_server:
        pid_file.unlink(missing_ok=True)


def _path_for_server(data: Path) -> str:
    return "/proc/self/cwd" if is_root() else str(data)


def _give(data: Path, uid: int) -> None:
    for path in (data, *data.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)
