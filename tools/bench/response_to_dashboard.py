"""The latency from a response to the dashboard: `python -m tools.bench.response_to_dashboard`.

The whole stack on this machine, with 30 days of history: Kafka, the stream, the emulator, and Airflow with all its
DAGs, which builds the marts when rows land. Responses come at a steady rate, first with the dbt server, then without
it, when each build starts a new dbt process.

A response is on the dashboard at the end of the first build, tests included, whose watermark is not before it. Latency
starts at `survey_answered_at`; a query of the landing table finds the response at the end of its load job.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from csat.bigquery.client import Warehouse
from csat.contract import landing
from csat.contract.polling import poll
from csat.contract.settings import ROOT, Settings, environment
from csat.local import stack
from csat.local.ports import free_ports
from csat.local.programs import DBT, PYTHON
from csat.local.supervisord import Supervisord
from producer.options import SimulateOptions
from producer.run import simulate
from tools.bench.results import markdown, write

HISTORY_DAYS = 30
_WAIT_SECONDS = 600
_POLL_SECONDS = 2
_MARGIN = timedelta(seconds=30)
_BUILDS_SQL = """
select watermark_to, built_at, build_seconds from `{table}` where status = 'succeeded' and built_at >= @since
order by watermark_to
"""
_RESPONSES_SQL = """
select survey_answered_at, ingested_at, batch_id from `{table}`
where rejection_reason is null and survey_answered_at >= @since and survey_answered_at < @until
"""


@dataclass(frozen=True)
class Latency:
    """Seconds from a response to the dashboard, for the responses of one period."""

    dbt: str
    responses: int
    builds: int
    build_seconds: float
    landed_p50: float
    landed_p95: float
    p50: float
    p95: float
    longest: float


def measure(warehouse: Warehouse, name: str, seconds: float) -> Latency:
    """The latency of the responses of the next seconds; returns when all are on the dashboard."""
    since = datetime.now(UTC)
    until = since + timedelta(seconds=seconds)
    _say(f"{name}: measuring for {seconds:g} s")
    time.sleep(seconds)
    # A build with rows ingested half a minute after the period has all responses of the period.
    if not poll(lambda: _builds(warehouse, since)[-1]["watermark_to"] >= until + _MARGIN, _WAIT_SECONDS, _POLL_SECONDS):
        sys.exit(f"error: the responses were not built within {_WAIT_SECONDS} s")
    builds = _builds(warehouse, since)
    responses = _rows(warehouse, "raw", "survey_responses", _RESPONSES_SQL, since=since, until=until)
    return latency(name, responses, builds, _landed_at(warehouse, since))


def latency(
    name: str,
    responses: Sequence[dict[str, Any]],
    builds: Sequence[dict[str, Any]],
    landed_at: Mapping[str, datetime],
) -> Latency:
    """The latency of the responses; `builds` in the order of their watermarks, from one that has none of the responses
    to one that has all, and `landed_at` by batch.
    """
    watermarks = [build["watermark_to"] for build in builds]
    first = [builds[bisect_left(watermarks, row["ingested_at"])] for row in responses]
    whole = [
        _seconds(build["built_at"] - row["survey_answered_at"]) for build, row in zip(first, responses, strict=True)
    ]
    landed = [_seconds(landed_at[row["batch_id"]] - row["survey_answered_at"]) for row in responses]
    return Latency(
        dbt=name,
        responses=len(responses),
        builds=len({build["built_at"] for build in first}),
        build_seconds=statistics.median(build["build_seconds"] for build in builds[1:]),
        landed_p50=_percentile(landed, 50),
        landed_p95=_percentile(landed, 95),
        p50=_percentile(whole, 50),
        p95=_percentile(whole, 95),
        longest=max(whole),
    )


def _seconds(length: timedelta) -> float:
    return length.total_seconds()


def _percentile(values: Sequence[float], percent: int) -> float:
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


def _rows(warehouse: Warehouse, role: Any, name: str, sql: str, **parameters: Any) -> list[dict[str, Any]]:
    return warehouse.rows(sql.format(table=warehouse.settings.table(role, name)), **parameters)


def _builds(warehouse: Warehouse, since: datetime) -> list[dict[str, Any]]:
    """The builds that ended since then, after one with no responses."""
    never = {"watermark_to": datetime.min.replace(tzinfo=UTC), "built_at": since, "build_seconds": 0.0}
    return [never, *_rows(warehouse, "ops", "mart_builds", _BUILDS_SQL, since=since)]


def _landed_at(warehouse: Warehouse, since: datetime) -> dict[str, datetime]:
    jobs = warehouse.client.list_jobs(
        min_creation_time=since,
        state_filter="done",
        timeout=warehouse.settings.bigquery_timeout_seconds,
        retry=warehouse.retry,
    )
    loads = [job for job in jobs if job.job_id.startswith(landing.LOAD_JOB_PREFIX) and not job.error_result]
    return {job.job_id.removeprefix(landing.LOAD_JOB_PREFIX).rpartition("-a")[0]: job.ended for job in loads}


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


@contextmanager
def responses_at(settings: Settings, rate: float) -> Iterator[None]:
    """Send responses at a steady rate."""
    command = [str(PYTHON), "-m", "csat.cli.main", "simulate", "--rate", str(rate), "--seed", "2"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(**settings.as_environment())) as process:
        try:
            yield
        finally:
            process.terminate()


def _wait_for_builds(warehouse: Warehouse, count: int) -> None:
    sql = f"select count(*) as builds from `{warehouse.settings.table('ops', 'mart_builds')}`"
    if not poll(lambda: warehouse.rows(sql)[0]["builds"] >= count, _WAIT_SECONDS, _POLL_SECONDS):
        sys.exit(f"error: Airflow has not built the marts {count} times, see {warehouse.settings.state}/airflow")


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=20, help="responses a second")
    parser.add_argument("--seconds", type=float, default=180, help="duration of each measurement")
    parser.add_argument("--results", type=Path, help="file for the results, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="csat-bench-") as folder:
        settings = Settings(state_dir=Path(folder), _env_file=None, **free_ports())
        with stack.running(settings, _say):
            simulate(settings, SimulateOptions(days=HISTORY_DAYS))
            with Warehouse(settings) as warehouse, responses_at(settings, options.rate):
                _wait_for_builds(warehouse, 2)
                ready = measure(warehouse, "dbt server", options.seconds)
                Supervisord(settings).stop(DBT)
                cold = measure(warehouse, "new process", options.seconds)
    results = [asdict(ready), asdict(cold)]
    print(markdown(results))
    if options.results:
        write(options.results, results)


if __name__ == "__main__":
    main()
