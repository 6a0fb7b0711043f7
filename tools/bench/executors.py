"""The stream with one executor process and with two: `python -m tools.bench.executors`.

One broker, one emulator, one topic, one machine. Each number of executors lands the whole topic in a table of its own,
in Spark's local-cluster: every executor is a JVM with one core, and with Python workers of its own.

warm: events after the first landing ÷ the time since it; a batch's rows land at once
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from csat.contract.settings import Settings, environment
from csat.local import stack
from csat.local.ports import free_ports
from csat.local.programs import PYTHON, stream_variables
from tests.local_cluster import master, spark_home
from tools.bench.observed import observe
from tools.bench.results import markdown, write
from tools.bench.stream import Baseline, fill, fresh

_COMMAND = [str(PYTHON), "-m", "spark.stream_responses", "--catch-up"]
_BATCHES = 8


@dataclass(frozen=True)
class Result:
    """One line of the table; rates are events a second."""

    executors: int
    events: int
    cold: float
    warm: float | None
    cpu_seconds_per_million: float
    peak_megabytes: float


def measure(settings: Settings, executors: int, events: int) -> Result:
    """Land the topic with that many executors."""
    name = f"executors{executors}"
    own = fresh(settings, Baseline(name, name, lambda _: _COMMAND), "whole")
    changes = {"spark_master": master(executors), "max_offsets_per_trigger": events // _BATCHES}
    own = own.model_copy(update=changes)
    home = settings.state / name
    home.mkdir(exist_ok=True)
    variables = environment(
        **own.as_environment(), **stream_variables() | spark_home(home, own, str(PYTHON)), PYTHONUNBUFFERED="1"
    )
    log = settings.state / "logs" / f"{name}.log"
    run = observe(_COMMAND, variables, log)
    if run.exit_code or run.rows != events:
        sys.exit(f"error: {executors} executors landed {run.rows:,} of {events:,}: {log.read_text()[-2_000:]}")
    return Result(
        executors=executors,
        events=events,
        cold=run.cold_rate,
        warm=run.warm_rate,
        cpu_seconds_per_million=run.cpu_seconds / run.rows * 1e6,
        peak_megabytes=run.peak_bytes / 1e6,
    )


def main() -> None:
    """Measure one and two executors and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=800_000)
    parser.add_argument("--results", type=Path, help="file for the results, as JSON")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="csat-bench-") as folder:
        settings = Settings(state_dir=Path(folder), _env_file=None, **free_ports())
        with stack.running(settings, lambda line: None, has_airflow=False, has_dashboard=False):
            fill(settings, options.events)
            for executors in (1, 2):
                result = measure(settings, executors, options.events)
                print(json.dumps(asdict(result)), flush=True)
                results.append(result)
    print(markdown([asdict(result) for result in results]))
    if options.results:
        write(options.results, [asdict(result) for result in results])


if __name__ == "__main__":
    main()
