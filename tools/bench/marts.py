"""How long a build takes after an hour of new responses, as the history grows: `python -m tools.bench.marts`.

Each history has a separate emulator with the marts built from it (the full refresh). Then some hours of new responses
follow, each with the build that Airflow would run, with the dbt server.

seconds:           from the start of `csat marts build` to its end, the median of the hours
statements:        the same without start-up, from the first statement of dbt's models and tests to the end of the last
without the server: the same build, with a new dbt process
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from csat.bigquery.client import Warehouse
from csat.contract.settings import ROOT, Settings, environment
from csat.marts.results import RUNS, TESTS
from tools.bench.emulator import dbt_ready, empty_warehouse, emulator, own_settings
from tools.bench.history import HISTORIES, RESPONSES_PER_FILE, history_files, history_folder, load, write_new_responses
from tools.bench.results import markdown, write

_CSAT = ROOT / ".venv" / "bin" / "csat"
_TIMEOUT_SECONDS = 3_600
_STEPS_SQL = "select started_at, seconds from `{table}` where build_id = '{build_id}' and started_at is not null"
_MODELS_SQL = "select model, seconds, rows_affected from `{table}` where build_id = '{build_id}' order by started_at"


@dataclass(frozen=True)
class Build:
    """One build; total seconds, and those of its statements. models: name -> (seconds, rows written)."""

    seconds: float
    statement_seconds: float
    models: dict[str, tuple[float, int | None]]


@dataclass(frozen=True)
class Growth:
    """The results of one history; `models` are those of the full refresh, and of an incremental build."""

    responses: int
    days: int
    full_seconds: float
    full_statement_seconds: float
    hour_seconds: float
    hour_statement_seconds: float
    cold_hour_seconds: float
    models: list[dict[str, Any]]


def measure(settings: Settings, files: Sequence[Path], hours: int, responses_an_hour: int) -> Growth:
    """Build the marts of a history, then of the hours after it."""
    with emulator(settings), empty_warehouse(settings) as warehouse:
        load(warehouse, files)
        _say(f"{len(files) * RESPONSES_PER_FILE:,} responses loaded")
        with dbt_ready(settings):
            full = _build(warehouse)
            builds = [_build_hour(warehouse, hour, responses_an_hour) for hour in range(hours)]
        cold = _build_hour(warehouse, hours, responses_an_hour)
        days = _days(warehouse)
    typical = sorted(builds, key=lambda build: build.seconds)[len(builds) // 2]
    return Growth(
        responses=len(files) * RESPONSES_PER_FILE,
        days=days,
        full_seconds=full.seconds,
        full_statement_seconds=full.statement_seconds,
        hour_seconds=statistics.median(build.seconds for build in builds),
        hour_statement_seconds=statistics.median(build.statement_seconds for build in builds),
        cold_hour_seconds=cold.seconds,
        models=[_model(name, full, typical) for name in full.models],
    )


def _model(name: str, full: Build, hour: Build) -> dict[str, Any]:
    return {
        "model": name,
        "full_seconds": full.models[name][0],
        "full_rows": full.models[name][1],
        "hour_seconds": hour.models[name][0],
        "hour_rows": hour.models[name][1],
    }


def _build_hour(warehouse: Warehouse, hour: int, responses: int) -> Build:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"hour-{hour}.parquet"
        write_new_responses(file, responses, hour)
        load(warehouse, [file])
    return _build(warehouse)


def _build(warehouse: Warehouse) -> Build:
    """Run the command that Airflow runs."""
    settings, began = warehouse.settings, time.monotonic()
    done = subprocess.run(
        [_CSAT, "marts", "build", "--json"],
        env=environment(**settings.as_environment()),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(f"error: csat marts build exited with {done.returncode}:\n{done.stdout}{done.stderr}")
    build_id = json.loads(done.stdout)["build_id"]
    build = Build(round(seconds, 2), _statement_seconds(warehouse, build_id), _models(warehouse, build_id))
    _say(f"built in {build.seconds:.1f} s, {build.statement_seconds:.1f} s of it statements")
    return build


def _statement_seconds(warehouse: Warehouse, build_id: str) -> float:
    steps = [row for name in (RUNS, TESTS) for row in _ops(warehouse, _STEPS_SQL, name, build_id)]
    first: datetime = min(row["started_at"] for row in steps)
    end: datetime = max(row["started_at"] + timedelta(seconds=row["seconds"]) for row in steps)
    return round((end - first).total_seconds(), 2)


def _models(warehouse: Warehouse, build_id: str) -> dict[str, tuple[float, int | None]]:
    rows = _ops(warehouse, _MODELS_SQL, RUNS, build_id)
    return {row["model"]: (row["seconds"], row["rows_affected"]) for row in rows}


def _ops(warehouse: Warehouse, sql: str, name: str, build_id: str) -> list[dict[str, Any]]:
    return warehouse.rows(sql.format(table=warehouse.settings.table("ops", name), build_id=build_id))


def _days(warehouse: Warehouse) -> int:
    table = warehouse.settings.table("marts", "agg_response_hourly")
    return int(warehouse.rows(f"select count(distinct response_date) as days from `{table}`")[0]["days"])


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="csat-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Measure each history and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--responses", type=int, nargs="+", default=list(HISTORIES))
    parser.add_argument("--hours", type=int, default=3, help="hours of new responses, each with its own build")
    parser.add_argument("--responses-an-hour", type=int, default=18_000, help="5 a second, what the demo sends")
    parser.add_argument("--history", type=Path, default=history_folder(), help="where histories are cached")
    parser.add_argument("--results", type=Path, help="file for the results, as JSON")
    options = parser.parse_args()
    results = []
    for responses in options.responses:
        files = history_files(options.history, responses)
        with _folder() as folder:
            results.append(asdict(measure(own_settings(folder), files, options.hours, options.responses_an_hour)))
            if options.results:  # after each: a large history takes long
                write(options.results, results)
    for result in results:
        print(markdown(result["models"]), end="\n\n")
    figures = [name for name, value in results[0].items() if not isinstance(value, list | dict)]
    print(markdown([{name: result[name] for name in figures} for result in results]))


if __name__ == "__main__":
    main()
