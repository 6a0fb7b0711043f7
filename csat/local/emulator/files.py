"""Which files local-bigquery 0.3.2 may touch: its data and what it serves as gs://, whatever a statement says.

SQL reaches files in two ways: by DuckDB's own functions (read_text, COPY, ATTACH, …), and by the addresses of load jobs
and EXPORT DATA, which the emulator turns into paths. Used by csat.local.emulator.serve, in its own environment.
"""

import functools
import re
from pathlib import Path
from typing import Any

import duckdb

BUCKETS = "gs://"
# Google's form of a project id; it becomes the name of a file, and a part of a statement
_PROJECT_ID = re.compile(r"([a-z0-9.-]+:)?[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def folders(data: Path, staging: Path) -> list[str]:
    """The folders that SQL may read and write, as DuckDB wants them."""
    return sorted({f"{path}/" for folder in (data, staging) for path in (folder.absolute(), folder.resolve())})


def lock(connection: duckdb.DuckDBPyConnection, allowed: list[str], extensions: tuple[str, ...]) -> None:
    """Close everything but the allowed folders to the SQL of this database, for good.

    The extensions are loaded before: later, nothing can be.
    """
    for name in extensions:
        connection.execute(f"LOAD {name}")
    connection.execute("SET allowed_directories = $folders", {"folders": allowed})
    for setting in ("autoinstall_known_extensions", "autoload_known_extensions", "enable_external_access"):
        connection.execute(f"SET {setting} = false")
    connection.execute("SET lock_configuration = true")


def staged_file(uri: str, root: Path) -> Path:
    """The file of a gs:// address below `root`. Raises ValueError for any other address, and for one that leaves it."""
    if not uri.startswith(BUCKETS):
        raise ValueError(f"Unsupported address {uri}: only gs:// is served")
    path = (root / uri.removeprefix(BUCKETS).lstrip("/")).resolve()
    if not path.is_relative_to(root.resolve()) or path == root.resolve():
        raise ValueError(f"{uri} is in no bucket")
    return path


def keep_to_own_files(extensions: tuple[str, ...]) -> None:
    """Let statements and jobs reach the emulator's data and its buckets, and no other file."""
    _lock_database(extensions)
    _check_project_ids()
    _check_addresses()


def _lock_database(extensions: tuple[str, ...]) -> None:
    from local_bigquery.engine import database
    from local_bigquery.settings import settings

    connect = database._connect

    @functools.cache
    def connect_locked() -> duckdb.DuckDBPyConnection:
        connection: duckdb.DuckDBPyConnection = connect()
        lock(connection, folders(settings.data_dir, _staging_root()), extensions)
        return connection

    database._connect = connect_locked


def _check_project_ids() -> None:
    """A project that is new gets a file, made by a database that is not locked: its name must be a name."""
    from local_bigquery.engine import database
    from local_bigquery.errors import BigQueryError

    attach = database.attach

    @functools.wraps(attach)
    def attach_checked(project_id: str) -> Any:
        if not _PROJECT_ID.fullmatch(project_id):
            raise BigQueryError("invalid", f"Invalid project ID: {project_id}")
        return attach(project_id)

    database.attach = attach_checked


def _check_addresses() -> None:
    from local_bigquery.errors import BigQueryError
    from local_bigquery.jobs import storage

    def local(uri: str) -> str:
        try:
            return str(staged_file(uri, _staging_root()))
        except ValueError as error:
            raise BigQueryError("invalid", str(error)) from error

    matches = storage._matches

    def matches_inside(uri: str) -> list[str]:
        root = _staging_root().resolve()
        # What a pattern finds may be a link that leads out
        return [path for path in matches(uri) if Path(path).resolve().is_relative_to(root)]

    storage._local, storage._matches = local, matches_inside


def _staging_root() -> Path:
    from local_bigquery.settings import settings

    root: Path = settings.gcs_local_root or settings.data_dir / "gcs"
    return root
