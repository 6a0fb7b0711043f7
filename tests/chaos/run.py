"""The chaos run: `python -m tests.chaos.run --faults 100 --seed 7`. Prints a table; exits with 1 on a violation."""

import argparse
import itertools
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.airflow_builds import held_builds
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.target import Target, chaos_settings, load, running
from tests.chaos.waits import wait_for

_RARE_EVERY, _RARE_IN = 3, 2  # rounds; in the second, so that a run of 60 has every kind
_FAULTS_BETWEEN_REBUILDS = 10
_MODELS = ("fct_survey_responses", "agg_agent_daily", "agent_leaderboard", "category_ranking", "response_series")


@dataclass(frozen=True)
class Outcome:
    """The outcome of one fault; `seconds` count from the moment recovery could begin."""

    fault: str
    seconds: float
    lost: int
    duplicated: int
    max_drivers: int

    @property
    def is_good(self) -> bool:
        """Whether every guarantee held."""
        return (self.lost, self.duplicated, self.max_drivers) == (0, 0, 1)


def chosen(count: int, seed: int, known: tuple[Fault, ...] = FAULTS) -> list[Fault]:
    """`count` faults in the seed's order, in rounds with every kind once, the rare ones in the second of three."""
    order = random.Random(seed)
    faults: list[Fault] = []
    for number in itertools.count(1):
        kinds = [fault for fault in known if number % _RARE_EVERY == _RARE_IN or not fault.is_rare]
        faults += order.sample(kinds, len(kinds))
        if len(faults) >= count:
            break
    return faults[:count]


def attack(target: Target, faults: list[Fault], seed: int) -> Iterator[Outcome]:
    """Inject one fault after another under load. Raises if the stack does not recover or a mart is wrong."""
    for start in range(0, len(faults), _FAULTS_BETWEEN_REBUILDS):
        with load(target, seed + start):
            wait_for(partial(_has_committed_since, target, time.time()), "first batch")
            for fault in faults[start : start + _FAULTS_BETWEEN_REBUILDS]:
                # Sooner, the guard would back off: it would see a driver that cannot work, and not one more fault
                wait_for(target.lives_well, "half a minute of work")
                yield _strike(target, fault)
        require_equal_marts(target)


def _has_committed_since(target: Target, moment: float) -> bool:
    return target.last_commit() > moment


def _strike(target: Target, fault: Fault) -> Outcome:
    driver = target.pid("stream")
    with _counting(target) as counter:
        fault.strike(target)
        began = time.time()
        if fault.hits == "airflow":
            struck_at = datetime.now(UTC)
            wait_for(lambda: target.is_airflow_healthy(struck_at), f"Airflow after: {fault.name}")
        else:
            # A batch that was read before a broker's end may commit after it: that is no recovery
            wait_for(target.has_services, f"Kafka and BigQuery after: {fault.name}")
            back_at = time.time()
            wait_for(lambda: target.last_commit() > back_at, f"batch after: {fault.name}")
        seconds = time.time() - began
        if fault.keeps_driver and target.pid("stream") != driver:
            raise AssertionError(f"{fault.name}: the stream was restarted")
    found = target.completeness()
    return Outcome(fault.name, round(seconds, 1), found.lost, found.duplicated, max(counter.most, target.drivers()))


class _counting:  # noqa: N801  # a context manager that reads as one
    """Counts the drivers twice a second while it is open."""

    def __init__(self, target: Target) -> None:
        self.most = 0
        self._target = target
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)

    def _count(self) -> None:
        while not self._end.wait(0.5):
            self.most = max(self.most, self._target.drivers())

    def __enter__(self) -> "_counting":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def require_equal_marts(target: Target) -> None:
    """Raises AssertionError unless all messages landed once and the marts equal a full refresh."""
    wait_for(lambda: target.completeness().pending == 0, "end of the backlog")
    found = target.completeness()
    assert (found.lost, found.duplicated) == (0, 0), found.as_dict()
    with held_builds(target.settings):
        target.csat("marts", "build")
        incremental = {model: _lines(target, model) for model in _MODELS}
        target.csat("marts", "build", "--full-refresh")
        for model in _MODELS:
            assert _lines(target, model) == incremental[model], f"{model} differs from a full refresh"


def _lines(target: Target, model: str) -> list[str]:
    table = target.settings.table("marts", model)
    lines = sorted(row["line"] for row in target.rows(f"select to_json_string(t) as line from `{table}` as t"))
    assert lines, f"{model} is empty"
    return lines


def table(outcomes: list[Outcome]) -> str:
    """The outcomes by fault, as Markdown."""
    lines = [
        "| fault | times | median s | worst s | rows lost | rows doubled | most drivers |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    names = sorted({outcome.fault for outcome in outcomes})
    lines += [_line(name, [outcome for outcome in outcomes if outcome.fault == name]) for name in names]
    return "\n".join([*lines, _line("**all**", outcomes)])


def _line(name: str, outcomes: list[Outcome]) -> str:
    seconds = [outcome.seconds for outcome in outcomes]
    lost, doubled = (sum(values) for values in zip(*[(o.lost, o.duplicated) for o in outcomes], strict=True))
    times = f"{statistics.median(seconds):.0f} | {max(seconds):.0f}"
    return f"| {name} | {len(outcomes)} | {times} | {lost} | {doubled} | {max(o.max_drivers for o in outcomes)} |"


def main() -> None:
    """Run the faults against a separate stack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=len(FAULTS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[""], help="parts of the names of the faults to choose from")
    parser.add_argument("--results", type=Path, help="file for the outcomes, as JSON")
    options = parser.parse_args()
    known = tuple(fault for fault in FAULTS if any(part in fault.name for part in options.only))
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="csat-chaos-") as folder:
        try:
            with running(chaos_settings(Path(folder))) as target:
                for outcome in attack(target, chosen(options.faults, options.seed, known), options.seed):
                    outcomes.append(outcome)
                    print(f"{len(outcomes):4d}  {outcome.seconds:6.1f} s  {asdict(outcome)}", flush=True)
        finally:
            if outcomes:
                print(table(outcomes))
            if options.results:
                options.results.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1) + "\n")
    if not all(outcome.is_good for outcome in outcomes):
        sys.exit("error: a guarantee was broken, see the table")


if __name__ == "__main__":
    main()
