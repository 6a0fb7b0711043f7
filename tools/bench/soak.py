"""The whole stack under a steady load, and how its memory grows: `python -m tools.bench.soak --minutes 90 --rate 50`.

The memory of each program is written to a CSV file every few seconds, completeness is checked every minute. At the end
it prints slopes, and exits with 1 where the stream grew, was restarted, or anything was lost or duplicated.
"""

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from csat.bigquery.client import WarehouseError
from csat.contract.kafka_access import KafkaAccessError
from csat.contract.polling import poll
from csat.contract.settings import Settings
from csat.local import programs, stack
from csat.local.ports import free_ports
from csat.local.programs import STREAM
from csat.monitoring.completeness import Completeness
from tests.chaos.target import Target, load
from tools.bench.memory import PARTS, megabytes, percent_per_hour
from tools.bench.results import markdown, write

WARM_UP_MINUTES = 20
SHORTEST_JUDGED_MINUTES = 30  # of samples: over a shorter time, the slope is noise
HIGHEST_PERCENT_PER_HOUR = 2.0
_SAMPLE_SECONDS = 10
_CHECK_SECONDS = 60
_START_SECONDS, _END_SECONDS = 240, 120
_HEAP = f"{STREAM}: live heap"


@dataclass
class Soak:
    """The measurements: samples are (minutes since the first batch, megabytes by program)."""

    samples: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    drivers: set[int] = field(default_factory=set)
    checks: int = 0
    lost: int = 0
    doubled: int = 0

    def take(self, found: Completeness) -> None:
        """Record a completeness check; the worst result is kept."""
        self.checks += 1
        self.lost, self.doubled = max(self.lost, found.lost), max(self.doubled, found.duplicated)


def soak(target: Target, seconds: float, rate: float, lines: "csv.DictWriter[str]") -> Soak:
    """Load the running stack for this time; write a line per sample. Raises where nothing lands."""
    seen = Soak()
    with load(target, seed=1, rate=rate):
        _wait(lambda: target.last_commit() > 0, "first batch", _START_SECONDS)
        for minutes in _ticks(seconds):
            sizes = _sizes(target, seen)
            seen.samples.append((minutes, sizes))
            lines.writerow({"minutes": round(minutes, 2)} | sizes)
            if minutes * 60 >= (seen.checks + 1) * _CHECK_SECONDS:
                _check(target, seen, minutes)
    _wait(lambda: target.completeness().pending == 0, "end of the backlog", _END_SECONDS)
    seen.take(target.completeness())
    return seen


def _ticks(seconds: float) -> Iterator[float]:
    """Minutes since the start, at every sample."""
    began = time.monotonic()
    while (now := time.monotonic() - began) < seconds:
        yield now / 60
        time.sleep(max(0.0, began + now + _SAMPLE_SECONDS - time.monotonic()))


def _sizes(target: Target, seen: Soak) -> dict[str, float]:
    known = target.supervisor.programs()
    seen.drivers.add(known[STREAM]["pid"])
    sizes = megabytes(known)
    heartbeat = target.state_files.heartbeat()
    if heartbeat is not None:
        sizes[_HEAP] = round(heartbeat.memory_bytes / 1e6, 1)
    return sizes


def _check(target: Target, seen: Soak, minutes: float) -> None:
    try:
        seen.take(target.completeness())
    except (WarehouseError, KafkaAccessError) as error:  # the last check must succeed
        seen.checks += 1
        print(f"{minutes:5.1f} min: check failed: {error}", flush=True)
        return
    sizes = seen.samples[-1][1]
    summary = (
        f"lost {seen.lost}, doubled {seen.doubled}, stream {sizes.get(STREAM, 0):.0f} MB, all {_all(sizes):.0f} MB"
    )
    print(f"{minutes:5.1f} min: {summary}", flush=True)


def _all(sizes: dict[str, float]) -> float:
    return sum(size for name, size in sizes.items() if ":" not in name)


def _wait(condition: Callable[[], bool], what: str, seconds: float) -> None:
    if not poll(condition, seconds, 0.5):
        raise TimeoutError(f"no {what} within {seconds:g} s")


def growth(samples: list[tuple[float, dict[str, float]]], warm_up_minutes: float) -> list[dict[str, Any]]:
    """One row per program: its memory at the start and the end of the time after the warm-up, and the slope."""
    after = [(minutes, sizes) for minutes, sizes in samples if minutes >= warm_up_minutes]
    rows = []
    for name in sorted({name for _, sizes in after for name in sizes}):
        points = [(minutes, sizes[name]) for minutes, sizes in after if sizes.get(name)]
        if len(points) > 1:
            minutes, sizes = zip(*points, strict=True)
            slope = round(percent_per_hour(minutes, sizes), 2)
            rows.append({"program": name, "first_mb": sizes[0], "last_mb": sizes[-1], "percent_per_hour": slope})
    return rows


def broken(seen: Soak, rows: list[dict[str, Any]], judged_minutes: float) -> list[str]:
    """The guarantees that were violated."""
    problems = [
        f"{count} rows were {what}" for count, what in ((seen.lost, "lost"), (seen.doubled, "doubled")) if count
    ]
    if len(seen.drivers) > 1:
        problems.append(f"the stream had {len(seen.drivers)} drivers")
    slope = next((row["percent_per_hour"] for row in rows if row["program"] == STREAM), None)
    if judged_minutes >= SHORTEST_JUDGED_MINUTES and (slope is None or slope >= HIGHEST_PERCENT_PER_HOUR):
        problems.append(f"the stream's memory grew by {slope} % per hour")
    return problems


def main() -> None:
    """Soak a separate stack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--rate", type=float, default=50, help="events a second")
    parser.add_argument("--results", type=Path, required=True, help="JSON file; the CSV is beside it")
    options = parser.parse_args()
    warm_up = min(WARM_UP_MINUTES, options.minutes / 4)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="csat-soak-") as folder,
        options.results.with_suffix(".csv").open("w", buffering=1, newline="") as file,
    ):
        settings = Settings(state_dir=Path(folder), _env_file=None, **free_ports())
        names = [program.name for program in programs.programs(settings)]
        lines = csv.DictWriter(file, ["minutes", *names, *PARTS, _HEAP])
        lines.writeheader()
        with stack.running(settings, print):
            seen = soak(Target(settings), options.minutes * 60, options.rate, lines)
    rows = growth(seen.samples, warm_up)
    print(markdown(rows))
    load_of = {"minutes": options.minutes, "events_per_second": options.rate, "warm_up_minutes": warm_up}
    found = {"completeness_checks": seen.checks, "lost": seen.lost, "doubled": seen.doubled}
    write(options.results, rows, **load_of, **found, drivers=len(seen.drivers))
    judged = options.minutes - warm_up
    if judged < SHORTEST_JUDGED_MINUTES:
        print(f"slopes are not evaluated: {judged:g} minutes after the warm-up are less than {SHORTEST_JUDGED_MINUTES}")
    if problems := broken(seen, rows, judged):
        sys.exit(f"error: {'; '.join(problems)}")


if __name__ == "__main__":
    main()
