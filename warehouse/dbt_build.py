"""Calls of dbt on the project in dbt/."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from csat import bigquery_login
from csat.settings import Settings
from warehouse import dbt_process
from warehouse.dbt_process import PROJECT, Tell
from warehouse.dbt_results import DbtResult, read_results
from warehouse.mart_plans import Plan

_TAIL_LINES = 5


class MartsError(Exception):
    """The marts could not be built; the message names what failed and the log."""


def dbt_folder(settings: Settings) -> Path:
    """Where dbt keeps its log, its parsed project and its results."""
    return settings.state / "dbt"


def dbt_log(settings: Settings) -> Path:
    """dbt's log."""
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
        "CSAT_AS_OF": _text(plan.latest_answered_date),
        "CSAT_EARLIEST_DATE": _text(plan.earliest_date),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def words_of_build(settings: Settings, *, full_refresh: bool, select: str | None) -> list[str]:
    """The words behind `dbt` for a build. Unit tests prove the code, not the data: `dbt build` by hand runs them."""
    words = [*_words(settings, "build"), "--exclude-resource-type", "unit_test", "--exclude", "tag:nightly"]
    if full_refresh:
        words.append("--full-refresh")
    # Tests that compare with a model left out would fail.
    return words + (["--select", *select.split(), "--indirect-selection", "cautious"] if select else [])


def words_of_tests(settings: Settings) -> list[str]:
    """The words behind `dbt` for a test of all rows of all marts."""
    return [*_words(settings, "test"), "--exclude-resource-type", "unit_test"]


def run_dbt(settings: Settings, words: Sequence[str], plan: Plan, tell: Tell, lock: int) -> DbtResult:
    """Run dbt, pass on its lines as they come, and return what it did, also where something of it failed.

    dbt holds the lock too: if this process is killed, no other build begins before dbt has ended. Raises MartsError
    where dbt died before it built anything.
    """
    target = dbt_folder(settings) / "target"
    results = target / "run_results.json"
    results.unlink(missing_ok=True)
    tail: list[str] = []

    def pass_on(line: str) -> None:
        tell(line)
        tail.append(line.strip())

    variables = dbt_variables(settings, plan) | _login(settings)
    code = dbt_process.run(settings, words, variables, pass_on, lock)
    result = read_results(target) if results.exists() else None
    if result is None or (code and not result.failed):
        end = " ".join(tail[-_TAIL_LINES:])
        raise MartsError(f"dbt ended with code {code} before it built anything: {end} (log: {dbt_log(settings)})")
    return result


def _words(settings: Settings, command: str) -> list[str]:
    folder = dbt_folder(settings)
    words = ["--no-use-colors", command, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    return [*words, "--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]


def _login(settings: Settings) -> dict[str, str]:
    """The emulator's token by a name that dbt keeps out of its logs."""
    return {"DBT_ENV_SECRET_CSAT_BIGQUERY_TOKEN": bigquery_login.token(settings)} if settings.endpoint else {}


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""
