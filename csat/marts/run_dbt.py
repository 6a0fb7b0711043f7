"""Running dbt on the project in dbt/."""

import json
from collections import deque
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from csat.bigquery import login as bigquery_login
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.marts import dbt_process
from csat.marts.dbt_process import PROJECT, Progress
from csat.marts.manifest import Manifest, read_manifest
from csat.marts.plans import Plan
from csat.marts.results import DbtResult, read_results

_TAIL_LINES = 5


def dbt_folder(settings: Settings) -> Path:
    """The folder of dbt's log, parsed project and results."""
    return settings.state / "dbt"


def dbt_target(settings: Settings) -> Path:
    """The folder of dbt's results and manifest."""
    return dbt_folder(settings) / "target"


def dbt_log(settings: Settings) -> Path:
    """dbt's log file."""
    return dbt_folder(settings) / "logs" / "dbt.log"


def dbt_variables(settings: Settings, plan: Plan) -> dict[str, str]:
    """The variables that dbt/profiles.yml and the macros read."""
    return {
        "CSAT_TARGET": settings.target,
        "CSAT_PROJECT_ID": settings.project_id,
        "CSAT_LOCATION": settings.location,
        "CSAT_DATASET_PREFIX": settings.dataset_prefix,
        "CSAT_BIGQUERY_ENDPOINT": settings.endpoint,
        "CSAT_BIGQUERY_JOB_TIMEOUT_SECONDS": f"{settings.bigquery_job_timeout_seconds:g}",
        "CSAT_BIGQUERY_MAX_BYTES_BILLED": str(settings.bigquery_max_bytes_billed),
        "CSAT_TOUCHED_DATES": json.dumps([day.isoformat() for day in plan.dates]),
        "CSAT_AS_OF": _text(plan.latest_response_date),
        "CSAT_NEW_SINCE": plan.new_since.isoformat() if plan.new_since else "",
        "CSAT_NEW_UNTIL": plan.read_until.isoformat() if plan.new_since and plan.read_until else "",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def build_arguments(settings: Settings, *, full_refresh: bool, select: str | None) -> list[str]:
    """dbt's arguments for a build. Without unit tests, which test the code, not the data: a manual `dbt build` does."""
    arguments = [*_arguments(settings, "build"), "--exclude-resource-type", "unit_test", "--exclude", "tag:nightly"]
    if full_refresh:
        arguments.append("--full-refresh")
    # A test that compares with a model which is neither selected nor upstream would fail.
    return arguments + (["--select", *select.split(), "--indirect-selection", "buildable"] if select else [])


def data_test_arguments(settings: Settings) -> list[str]:
    """dbt's arguments for a test of all rows of all marts."""
    return [*_arguments(settings, "test"), "--exclude-resource-type", "unit_test"]


def parse_project(settings: Settings, lock: int) -> Manifest:
    """dbt's manifest of the project as it is now. Raises CsatError."""
    code, end = _run(settings, _arguments(settings, "parse"), Plan(0), lambda line: None, lock)
    if code:
        raise CsatError(f"dbt could not read the project in {PROJECT}: {end} (log: {dbt_log(settings)})")
    return read_manifest(dbt_target(settings))


def run_dbt(settings: Settings, arguments: Sequence[str], plan: Plan, progress: Progress, lock: int) -> DbtResult:
    """Run dbt, pass on its lines as they come, and return its results, including failures.

    dbt holds the lock too: if this process is killed, no other build starts before dbt has ended. Raises CsatError
    if dbt failed before it built anything.
    """
    target = dbt_target(settings)
    results = target / "run_results.json"
    results.unlink(missing_ok=True)
    code, end = _run(settings, arguments, plan, progress, lock)
    result = read_results(target) if results.exists() else None
    if result is None or (code and not result.failed):
        raise CsatError(f"dbt exited with code {code} before it built anything: {end} (log: {dbt_log(settings)})")
    return result


def _run(settings: Settings, arguments: Sequence[str], plan: Plan, progress: Progress, lock: int) -> tuple[int, str]:
    """dbt's exit code, and the end of its output."""
    tail: deque[str] = deque(maxlen=_TAIL_LINES)

    def pass_on(line: str) -> None:
        progress(line)
        tail.append(line.strip())

    code = dbt_process.run(settings, arguments, dbt_variables(settings, plan) | _login(settings), pass_on, lock)
    return code, " ".join(tail)


def _arguments(settings: Settings, command: str) -> list[str]:
    folder = dbt_folder(settings)
    arguments = ["--no-use-colors", command, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    return [*arguments, "--target-path", str(dbt_target(settings)), "--log-path", str(folder / "logs")]


def _login(settings: Settings) -> dict[str, str]:
    """The emulator's token by a name that dbt keeps out of its logs."""
    return {"DBT_ENV_SECRET_CSAT_BIGQUERY_TOKEN": bigquery_login.token(settings)} if settings.endpoint else {}


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""
