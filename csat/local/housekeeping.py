"""Deletes old data of the one-machine stack. Every function is idempotent and may run at any time."""

import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

from csat.contract.errors import CsatError
from csat.contract.settings import Settings, environment
from csat.local import airflow
from csat.local.emulator_housekeeping import delete_old_files

_CLEAN_SECONDS = 600
# Not "dag" and its versions: a DAG in use may be old
_TABLES = ("dag_run", "task_instance", "task_instance_history", "xcom", "log", "job", "asset_event", "import_error")


def clean_airflow(settings: Settings, days: int) -> dict[str, Any]:
    """Delete Airflow's runs, tasks and logs that are older than this. Raises CsatError."""
    if not airflow.is_migrated(settings):
        return {"log_files_deleted": 0, "skipped": "no Airflow of this stack"}
    if days * 24 <= settings.max_age_hours:
        raise CsatError(
            f"--days {days} would delete the run of an active stream, which may last CSAT_MAX_AGE_HOURS="
            f"{settings.max_age_hours:g}",
            "raise --days",
        )
    before = datetime.now(UTC) - timedelta(days=days)
    _clean_database(settings, before)
    return {
        "before": before.isoformat(timespec="seconds"),
        "log_files_deleted": delete_old_files(airflow.home(settings) / "logs", days),
    }


def _clean_database(settings: Settings, before: datetime) -> None:
    command = [*airflow.clean_command(), "--clean-before-timestamp", before.isoformat(), "--tables", ",".join(_TABLES)]
    done = subprocess.run(
        [*command, "--skip-archive", "--yes"],
        env=environment(**airflow.variables(settings)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_CLEAN_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise CsatError(f"Airflow could not clean its database: {done.stdout.strip()[-500:]}")


def clean_staging(settings: Settings, days: float) -> dict[str, Any]:
    """Delete staging files older than `days` that no load job used: a retried batch writes new ones."""
    if not settings.is_local:
        return {"deleted": 0, "skipped": "a lifecycle rule of the bucket deletes them"}
    bucket, _, folder = settings.staging_uri.removeprefix("gs://").partition("/")
    return {"deleted": delete_old_files(settings.staging_root / bucket / folder, days)}
