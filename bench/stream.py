"""This stream against what people write instead: `python -m bench.stream`.

One broker, one emulator, one topic, one machine, one contender after the other. Each lands the topic in an empty table
of its own; then it lands it again and is killed half-way, and what was lost and doubled is counted.

cold:  events ÷ (last row queryable - the query or consumer started), the process just born
whole: the same from the start of the process
warm:  events behind the first landing ÷ the time since it
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
from google.api_core.exceptions import NotFound

from bench.results import markdown, write
from csat.settings import ROOT, Settings, environment
from local import kafka, stack
from local.ports import free_ports
from local.programs import PYTHON, stream_variables
from producer.options import SimulateOptions
from producer.run import simulate
from warehouse.client import Warehouse
from warehouse.tables import create_datasets, create_landing_table

_BENCH_PYTHON = ROOT / ".venvs" / "bench" / "bin" / "python"
_LONGEST_SECONDS = 1_800


@dataclass(frozen=True)
class Contender:
    """A program that lands the topic; `share` of the events is enough to measure a slow one."""

    name: str
    command: Callable[[int], list[str]]
    share: float = 1.0
    has_own_table: bool = False


def _module(python: Path, name: str) -> Callable[[int], list[str]]:
    return lambda events: [str(python), "-m", f"bench.contenders.{name}", str(events)]


CONTENDERS = (
    Contender("this stream", lambda _: [str(PYTHON), "-m", "spark.stream_responses", "--catch-up"]),
    Contender("plain consumer, load jobs", _module(_BENCH_PYTHON, "plain_consumer")),
    Contender("Spark, foreachBatch, streaming inserts", _module(PYTHON, "tutorial"), share=0.05),
    Contender("Quix Streams' BigQuery sink", _module(_BENCH_PYTHON, "quix"), share=0.05, has_own_table=True),
)


@dataclass
class Run:
    """What one run of a contender showed."""

    began: float
    started: float = 0.0
    landings: list[tuple[float, int]] = field(default_factory=list)
    cpu_seconds: float = 0.0
    peak_bytes: int = 0

    @property
    def rows(self) -> int:
        """Rows landed."""
        return sum(rows for _, rows in self.landings)


@dataclass(frozen=True)
class Result:
    """One line of the table; rates are events a second."""

    contender: str
    events: int
    cold: float
    whole: float
    warm: float | None
    megabytes_per_second: float
    cpu_seconds_per_million: float
    peak_megabytes: float
    lost_after_kill: int
    doubled_after_kill: int


def measure(settings: Settings, contender: Contender, events: int, bytes_per_event: float) -> Result:
    """Two runs: one undisturbed, one killed half-way and started again."""
    undisturbed = _run(_fresh(settings, contender, "whole"), contender, events)
    killed = _fresh(settings, contender, "killed")
    _run(killed, contender, events, kill_after=events // 2)
    _run(killed, contender, events)
    rows, distinct = _count(killed)
    ended = undisturbed.landings[-1][0]
    first_at, first_rows = undisturbed.landings[0]
    has_more = undisturbed.rows > first_rows
    cold = undisturbed.rows / (ended - undisturbed.started)
    return Result(
        contender=contender.name,
        events=undisturbed.rows,
        cold=cold,
        whole=undisturbed.rows / (ended - undisturbed.began),
        warm=(undisturbed.rows - first_rows) / (ended - first_at) if has_more else None,
        megabytes_per_second=cold * bytes_per_event / 1e6,
        cpu_seconds_per_million=undisturbed.cpu_seconds / undisturbed.rows * 1e6,
        peak_megabytes=undisturbed.peak_bytes / 1e6,
        lost_after_kill=undisturbed.rows - distinct,
        doubled_after_kill=rows - distinct,
    )


def _fresh(settings: Settings, contender: Contender, run: str) -> Settings:
    """Settings with an empty table, checkpoint and consumer group, and a topic of the contender's share."""
    prefix = f"{''.join(filter(str.isalpha, contender.name))[:12].lower()}_{run}"
    topic = settings.kafka_topic if contender.share == 1.0 else f"{settings.kafka_topic}-share"
    folder = settings.state / prefix
    own = settings.model_copy(
        update={
            "dataset_prefix": prefix,
            "kafka_topic": topic,
            "checkpoint_uri": str(folder / "checkpoint"),
            "documents_uri": str(folder / "documents"),
        }
    )
    with Warehouse(own) as warehouse:
        create_datasets(warehouse)
        if not contender.has_own_table:
            create_landing_table(warehouse)
    return own


def _run(settings: Settings, contender: Contender, events: int, kill_after: int | None = None) -> Run:
    run = Run(began=time.monotonic())
    log = (settings.state / "logs" / f"{settings.dataset_prefix}.log").open("a")
    process = subprocess.Popen(
        contender.command(events),
        cwd=ROOT,
        env=environment(**settings.as_environment(), **stream_variables(), PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    watch = threading.Thread(target=_watch, args=(process, run), daemon=True)
    watch.start()
    timer = threading.Timer(_LONGEST_SECONDS, process.kill)
    timer.start()
    assert process.stdout is not None
    with log:
        for line in process.stdout:
            log.write(line)
            _note(line, run)
            if kill_after is not None and run.rows >= kill_after:
                os.killpg(process.pid, signal.SIGKILL)
                break
    process.wait(60)
    timer.cancel()
    watch.join()
    if kill_after is None and not run.landings and process.returncode:
        sys.exit(f"error: {contender.name} left with {process.returncode}, see {log.name}")
    return run


def _note(line: str, run: Run) -> None:
    """Take in a line of a contender: it started, or it landed rows."""
    text = line.rstrip()
    if text.endswith("started") or "The query has started" in text:
        run.started = run.started or time.monotonic()
    words = text.lower().split()
    if "landed" in words:
        run.landings.append((time.monotonic(), int(words[words.index("landed") + 1])))


def _watch(process: "subprocess.Popen[str]", run: Run) -> None:
    """CPU and memory (each shared page counted once) of the process and all its children."""
    seconds: dict[int, float] = {}
    while process.poll() is None:
        memory = 0
        for one in _family(process.pid):
            try:
                times = one.cpu_times()
                seconds[one.pid] = times.user + times.system
                memory += one.memory_full_info().pss
            except psutil.Error:
                continue
        run.peak_bytes = max(run.peak_bytes, memory)
        run.cpu_seconds = sum(seconds.values())
        time.sleep(0.5)


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []


def _count(settings: Settings) -> tuple[int, int]:
    table = settings.table("raw", "survey_responses")
    sql = f"select count(*) as n, count(distinct format('%d/%d', kafka_partition, kafka_offset)) as d from `{table}`"
    try:
        with Warehouse(settings) as warehouse:
            [row] = warehouse.rows(sql)
    except NotFound:
        return 0, 0
    return row["n"], row["d"]


def fill(settings: Settings, events: int) -> float:
    """Put the events into the topic; returns their mean size in bytes."""
    began = time.monotonic()
    kafka.create_topic(settings)
    report = simulate(settings, SimulateOptions(events=events))
    print(f"{report.sent} events sent in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    size = sum(file.stat().st_size for file in kafka.data_folder(settings).rglob(f"{settings.kafka_topic}-*/*.log"))
    return size / events


def main() -> None:
    """Measure the contenders and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="part of the contenders' names")
    parser.add_argument("--results", type=Path, help="file for the results, as JSON")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="csat-bench-") as folder:
        settings = Settings(state_dir=Path(folder), _env_file=None, **free_ports())
        try:
            stack.up(settings, lambda line: None, has_airflow=False)
            size = fill(settings, options.events)
            share = min(one.share for one in CONTENDERS)
            fill(
                settings.model_copy(update={"kafka_topic": f"{settings.kafka_topic}-share"}),
                int(options.events * share),
            )
            for contender in [one for one in CONTENDERS if options.only in one.name]:
                result = measure(settings, contender, int(options.events * contender.share), size)
                print(json.dumps(asdict(result)), flush=True)
                results.append(result)
        finally:
            stack.down(settings, lambda line: None)
    print(markdown([asdict(result) for result in results]))
    if options.results:
        write(options.results, [asdict(result) for result in results])


if __name__ == "__main__":
    main()
