"""Which files the emulator may touch: its data and what it serves as gs://, whatever a statement says.

SQL reaches files in two ways: by DuckDB's own functions (read_text, COPY, ATTACH, …), and by the addresses of load jobs
and EXPORT DATA, which the emulator turns into paths. csat.local.emulator.patches says what each patch is for.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from local_bigquery.errors import BigQueryError
from local_bigquery.settings import settings

from csat.local.emulator import EXTENSIONS

BUCKETS = "gs://"
# Google's form of a project id; it becomes the name of a file, and a part of a statement
_PROJECT_ID = re.compile(r"([a-z0-9.-]+:)?[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def folders(data: Path, staging: Path) -> list[str]:
    """The folders that SQL may read and write, as DuckDB wants them."""
    return sorted({f"{path}/" for folder in (data, staging) for path in (folder.absolute(), folder.resolve())})


def lock(connection: duckdb.DuckDBPyConnection, allowed: list[str]) -> None:
    """Close everything but the allowed folders to the SQL of this database, for good.

    The extensions are loaded before: later, nothing can be.
    """
    for name in EXTENSIONS:
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


def lock_database(connection: duckdb.DuckDBPyConnection) -> None:
    """Let statements reach the emulator's data and its buckets, and no other file."""
    lock(connection, folders(settings.data_dir, _staging_root()))


def attach_checked(attach: Callable[..., Any], project_id: str) -> Any:
    """Attach a project with a valid id. A new one gets a file, made by a database that is not locked."""
    if not _PROJECT_ID.fullmatch(project_id):
        raise BigQueryError("invalid", f"Invalid project ID: {project_id}")
    return attach(project_id)


def local_inside(_: Callable[..., Any], uri: str) -> str:
    """The path of a gs:// address; no other address has one."""
    try:
        return str(staged_file(uri, _staging_root()))
    except ValueError as error:
        raise BigQueryError("invalid", str(error)) from error


def matches_inside(matches: Callable[..., Any], uri: str) -> list[str]:
    """The files that a pattern finds, without links that lead out of the buckets."""
    root = _staging_root().resolve()
    return [path for path in matches(uri) if Path(path).resolve().is_relative_to(root)]


def _staging_root() -> Path:
    root: Path = settings.gcs_local_root or settings.data_dir / "gcs"
    return root
