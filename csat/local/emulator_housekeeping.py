"""Deletes what the warehouse's tools leave on disk. Every function is idempotent and may run at any time."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from google.api_core.exceptions import NotFound

from csat.bigquery.client import Warehouse
from csat.contract import landing
from csat.contract.settings import Settings
from csat.marts.run_dbt import dbt_folder

_CACHED = {"partial_parse.msgpack"}  # written when the project changes; without it every build parses all models
_PAGE = 1000


def delete_scratch_tables(settings: Settings, hours: float, now: datetime | None = None) -> dict[str, Any]:
    """Delete scratch tables that have expired, or are older than this. Raises WarehouseError."""
    now = now or datetime.now(UTC)
    deleted, kept = 0, 0
    with Warehouse(settings) as warehouse, warehouse.errors():
        client, waits = warehouse.client, {"timeout": settings.bigquery_timeout_seconds, "retry": warehouse.retry}
        for table in list(client.list_tables(f"{settings.project_id}.{settings.dataset('scratch')}", **waits)):
            if _is_expired(table, now, now - timedelta(hours=hours)):
                client.delete_table(table.reference, not_found_ok=True, **waits)
                deleted += 1
            else:
                kept += 1
    return {"deleted": deleted, "kept": kept}


def _is_expired(table: Any, now: datetime, oldest: datetime) -> bool:
    return bool((table.expires and table.expires <= now) or (table.created and table.created < oldest))


def delete_emulator_jobs(settings: Settings, hours: float, limit: int, now: datetime | None = None) -> dict[str, Any]:
    """Delete the emulator's oldest finished jobs and their results; they make every statement slower.

    The stream's load jobs stay forever: their ids keep a batch from landing twice. Raises WarehouseError.
    """
    if settings.endpoint == "":
        return {"deleted": 0, "skipped": "BigQuery deletes jobs by itself"}
    before = (now or datetime.now(UTC)) - timedelta(hours=hours)
    deleted = 0
    with Warehouse(settings) as warehouse, warehouse.errors():
        for job_id in _finished_jobs(warehouse, before)[:limit]:
            try:
                warehouse.client.delete_job_metadata(
                    job_id,
                    location=settings.location,
                    timeout=settings.bigquery_timeout_seconds,
                    retry=warehouse.retry,
                )
                deleted += 1
            except NotFound:
                continue  # another run deleted it first
    return {"deleted": deleted}


def _finished_jobs(warehouse: Warehouse, before: datetime) -> list[str]:
    jobs = warehouse.client.list_jobs(
        max_creation_time=before,
        state_filter="done",
        all_users=True,
        page_size=_PAGE,
        timeout=warehouse.settings.bigquery_timeout_seconds,
        retry=warehouse.retry,
    )
    names = [job.job_id for job in jobs if not job.job_id.startswith(landing.LOAD_JOB_PREFIX)]
    return names[::-1]  # the oldest first


def delete_dbt_files(settings: Settings, days: float) -> dict[str, Any]:
    """Delete dbt's compiled files and logs that are older than `days`."""
    return {"deleted": delete_old_files(dbt_folder(settings), days, keep=_CACHED)}


def delete_old_files(folder: Path, days: float, keep: frozenset[str] | set[str] = frozenset()) -> int:
    """Delete files in a folder tree that are older than `days`, and folders that become empty; the number of files."""
    oldest = time.time() - days * 86_400
    count = 0
    # Listed before anything is deleted, since a deletion updates its folder's time; a folder comes after its content
    for path in [path for path in sorted(folder.rglob("*"), reverse=True) if _is_old(path, oldest, keep)]:
        with suppress(OSError):  # not empty, or gone meanwhile
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
                count += 1
    return count


def _is_old(path: Path, oldest: float, keep: frozenset[str] | set[str]) -> bool:
    try:
        return path.name not in keep and path.stat(follow_symlinks=False).st_mtime < oldest
    except OSError:
        return False
