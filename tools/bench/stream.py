"""This stream compared with baselines: `python -m tools.bench.stream`.

One broker, one emulator, one topic, one machine, one baseline after the other. Each lands the topic in its own empty
table; then it lands the topic a second time, is killed when a query sees half of the rows, is restarted, and the lost
and duplicate rows are counted.

cold:  events ÷ (last row queryable - the query or consumer started), in a new process
whole: the same from the start of the process
warm:  events after the first landing ÷ the time since it
first landing: from the start of the process; a batch's or a request's rows
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean

from csat.bigquery.client import Warehouse
from csat.bigquery.tables import create_datasets, create_landing_table
from csat.contract import landing
from csat.contract.settings import ROOT, Settings, environment
from csat.local import kafka, stack
from csat.local.ports import free_ports
from csat.local.programs import PYTHON, stream_variables
from producer.options import SimulateOptions
from producer.run import simulate
from producer.simulate import Simulator
from tools.bench.observed import Run, observe
from tools.bench.results import markdown, write

_BENCH_PYTHON = ROOT / ".venvs" / "bench" / "bin" / "python"
_SHARE_TOPIC = "{}-share"
_SAMPLED_EVENTS = 10_000


@dataclass(frozen=True)
class Baseline:
    """A program that lands the topic; a slow one gets the smaller topic."""

    key: str
    name: str
    command: Callable[[int], list[str]]
    is_slow: bool = False


def _module(python: Path, name: str) -> Callable[[int], list[str]]:
    return lambda events: [str(python), "-m", f"tools.bench.baselines.{name}", str(events)]


_STREAM = [str(PYTHON), "-m", "spark.stream_responses", "--catch-up"]
_ONE_CORE = ["taskset", "--cpu-list", "0", "env", "CSAT_SPARK_MASTER=local[1]"]

BASELINES = (
    Baseline("stream", "this stream", lambda _: _STREAM),
    Baseline("plain", "plain consumer, load jobs", _module(_BENCH_PYTHON, "plain_consumer")),
    Baseline("tutorial", "Spark, foreachBatch, streaming inserts", _module(PYTHON, "tutorial"), is_slow=True),
    Baseline("onecore", "this stream, on one core", lambda _: [*_ONE_CORE, *_STREAM]),
)


@dataclass(frozen=True)
class Result:
    """One line of the table; rates are events a second."""

    baseline: str
    events: int
    first_landing_seconds: float
    cold: float
    whole: float
    warm: float | None
    megabytes_per_second: float
    cpu_seconds_per_million: float
    peak_megabytes: float
    lost_after_kill: int
    doubled_after_kill: int


def measure(settings: Settings, baseline: Baseline, events: int, bytes_per_event: float) -> Result:
    """Two runs: one undisturbed, one killed half-way and restarted."""
    run = _run(fresh(settings, baseline, "whole"), baseline, events)
    killed = fresh(settings, baseline, "killed")
    _run(killed, baseline, events, kill_at=events // 2)
    _run(killed, baseline, events)
    rows, distinct = _row_count(killed), _message_count(killed)
    return Result(
        baseline=baseline.name,
        events=run.rows,
        first_landing_seconds=run.landings[0][0] - run.began,
        cold=run.cold_rate,
        whole=run.whole_rate,
        warm=run.warm_rate,
        megabytes_per_second=run.cold_rate * bytes_per_event / 1e6,
        cpu_seconds_per_million=run.cpu_seconds / run.rows * 1e6,
        peak_megabytes=run.peak_bytes / 1e6,
        lost_after_kill=events - distinct,
        doubled_after_kill=rows - distinct,
    )


def fresh(settings: Settings, baseline: Baseline, run: str) -> Settings:
    """Settings with an empty table, checkpoint and consumer group, and a topic of the baseline's size."""
    prefix = f"{baseline.key}_{run}"
    topic = _SHARE_TOPIC.format(settings.kafka_topic) if baseline.is_slow else settings.kafka_topic
    folder = settings.state / prefix
    own = settings.model_copy(
        update={
            "dataset_prefix": prefix,
            "kafka_topic": topic,
            "checkpoint_uri": str(folder / "checkpoint"),
            "state_files_uri": str(folder / "state"),
        }
    )
    with Warehouse(own) as warehouse:
        create_datasets(warehouse)
        create_landing_table(warehouse)
    return own


def _run(settings: Settings, baseline: Baseline, events: int, kill_at: int | None = None) -> Run:
    variables = environment(**settings.as_environment(), **stream_variables(), PYTHONUNBUFFERED="1")
    log = settings.state / "logs" / f"{settings.dataset_prefix}.log"
    kill_when = None if kill_at is None else lambda: _row_count(settings) >= kill_at
    run = observe(baseline.command(events), variables, log, kill_when)
    if kill_when is None and run.exit_code:
        sys.exit(f"error: {baseline.name} exited with {run.exit_code}: {log.read_text()[-2_000:]}")
    if kill_when is not None and not run.exit_code:
        sys.exit(f"error: {baseline.name} ended before it could be killed")
    return run


def _row_count(settings: Settings) -> int:
    """Rows that a query sees."""
    with Warehouse(settings) as warehouse:
        [row] = warehouse.rows(f"select count(*) as n from `{settings.table('raw', landing.TABLE)}`")
    return int(row["n"])


def _message_count(settings: Settings) -> int:
    """The number of distinct messages of the rows."""
    place = "format('%d/%d', kafka_partition, kafka_offset)"
    with Warehouse(settings) as warehouse:
        table = settings.table("raw", landing.TABLE)
        [row] = warehouse.rows(f"select count(distinct {place}) as n from `{table}`")
    return int(row["n"])


def fill(settings: Settings, events: int) -> None:
    """Put the events into the topic."""
    began = time.monotonic()
    kafka.create_topic(settings)
    report = simulate(settings, SimulateOptions(events=events))
    print(f"{report.sent} events sent in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def event_bytes() -> float:
    """Mean size of an event as JSON; the broker's files are compressed."""
    now = datetime.now(UTC)
    events = Simulator(SimulateOptions.seed).history(_SAMPLED_EVENTS, now - timedelta(days=1), now)
    return fmean(len(event.value) for event in events)


def main() -> None:
    """Measure the baselines and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--slow-share", type=float, default=0.05, help="share of the events that slow baselines get")
    parser.add_argument("--only", nargs="*", default=[], help="keys of baselines, such as stream or plain")
    parser.add_argument("--results", type=Path, help="file for the results, as JSON")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="csat-bench-") as folder:
        settings, size = Settings(state_dir=Path(folder), _env_file=None, **free_ports()), event_bytes()
        with stack.running(settings, lambda line: None, has_airflow=False, has_dashboard=False):
            fill(settings, options.events)
            share = int(options.events * options.slow_share)
            fill(settings.model_copy(update={"kafka_topic": _SHARE_TOPIC.format(settings.kafka_topic)}), share)
            for baseline in [one for one in BASELINES if not options.only or one.key in options.only]:
                result = measure(settings, baseline, share if baseline.is_slow else options.events, size)
                print(json.dumps(asdict(result)), flush=True)
                results.append(result)
    print(markdown([asdict(result) for result in results]))
    if options.results:
        write(options.results, [asdict(result) for result in results], bytes_per_event=round(size))


if __name__ == "__main__":
    main()
