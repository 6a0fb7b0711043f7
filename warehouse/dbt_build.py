"""One call of `dbt build`, as a process of its own, on the project in dbt/."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from csat.settings import ROOT, Settings, environment

PROJECT = ROOT / "dbt"
_NICENESS = 10  # a build can wait; a stream that starts again on the same machine cannot
_PASSED = {"success", "pass", "warn", "no-op"}


class MartsError(Exception):
    """The marts could not be built; the message names what failed and the log."""


@dataclass(frozen=True)
class DbtResult:
    """What dbt did."""

    invocation_id: str
    model_count: int
    test_count: int


def dbt_folder(settings: Settings) -> Path:
    """Where dbt keeps its log, its parsed project and its results."""
    return settings.state / "dbt"


def dbt_variables(settings: Settings, dates: Sequence[date], as_of: date | None) -> dict[str, str]:
    """The variables that dbt/profiles.yml and the macros read."""
    return {
        "CSAT_TARGET": settings.target,
        "CSAT_PROJECT_ID": settings.project_id,
        "CSAT_LOCATION": settings.location,
        "CSAT_DATASET_PREFIX": settings.dataset_prefix,
        "CSAT_BIGQUERY_ENDPOINT": settings.endpoint,
        "CSAT_BIGQUERY_JOB_TIMEOUT_SECONDS": f"{settings.bigquery_job_timeout_seconds:g}",
        "CSAT_BIGQUERY_MAX_BYTES_BILLED": str(settings.bigquery_max_bytes_billed),
        "CSAT_TOUCHED_DATES": json.dumps([day.isoformat() for day in dates]),
        "CSAT_AS_OF": as_of.isoformat() if as_of else "",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def command(settings: Settings, *, full_refresh: bool, select: str | None) -> list[str]:
    """The command line. Unit tests prove the code, not the data: they are left to the project's own tests."""
    folder = dbt_folder(settings)
    words = [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "build"]
    words += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    words += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    words += ["--exclude-resource-type", "unit_test", "--exclude", "tag:nightly"]
    if full_refresh:
        words.append("--full-refresh")
    # Tests that compare with a model left out would fail.
    return words + (["--select", *select.split(), "--indirect-selection", "cautious"] if select else [])


def run_dbt(
    words: Sequence[str],
    variables: dict[str, str],
    folder: Path,
    on_progress: Callable[[str], None],
    lock: int,
) -> DbtResult:
    """Run the command, pass on its lines as they come, and return what it did. Raises MartsError.

    dbt holds the lock too: if this process is killed, no other build begins before dbt has ended.
    """
    results = folder / "target" / "run_results.json"
    results.unlink(missing_ok=True)
    tail: list[str] = []
    with subprocess.Popen(
        ["nice", "-n", str(_NICENESS), *words],
        env=environment(**variables),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=(lock,),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            on_progress(line.rstrip())
            tail = [*tail, line.strip()][-5:]
    return _read_results(results, process.returncode, folder / "logs" / "dbt.log", tail)


def _read_results(file: Path, code: int, log: Path, tail: Sequence[str]) -> DbtResult:
    if not file.exists():
        raise MartsError(f"dbt ended with code {code} before it built anything: {' '.join(tail)} (log: {log})")
    document = json.loads(file.read_text())
    nodes = [(result["unique_id"].split(".")[2], result["status"]) for result in document["results"]]
    failed = [name for name, status in nodes if status not in _PASSED | {"skipped"}]
    if failed or code:
        raise MartsError(f"dbt failed in {', '.join(failed) or 'no node'}; the marts' watermark stays (log: {log})")
    kinds = [result["unique_id"].split(".")[0] for result in document["results"]]
    return DbtResult(document["metadata"]["invocation_id"], kinds.count("model"), kinds.count("test"))
