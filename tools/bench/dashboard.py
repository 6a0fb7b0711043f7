"""How long a viewer of the dashboard waits, with a long history and the whole stack running.

A separate stack: broker, stream, Airflow, emulator, five new responses a second and the mart builds that they trigger.
One Chromium, with the dashboard's static files in its cache.

first view: from the request of a page to its figures, with random filters, so that many queries have not run since the
            last build
filter:     from the click on a filter of an open page to the new figures; each option was clicked once before, which
            is reported as first click
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

from csat.bigquery.client import Warehouse
from csat.bigquery.landing_counts import landing_counts
from csat.cli.output import say
from csat.clients import airflow_api
from csat.clients.airflow_api import AirflowError
from csat.contract.polling import poll
from csat.contract.settings import Settings
from csat.dashboard.controls import window_name
from csat.local import stack
from csat.local.ports import free_ports
from csat.local.programs import PRODUCER
from csat.local.supervisord import Supervisord
from csat.marts import build as marts
from csat.reporting import queries
from csat.reporting.variables import ALL_TIME
from producer.options import SimulateOptions
from producer.run import simulate
from tests.integration.dashboard.browser import WIDE, Viewer, launch
from tools.bench.results import markdown, write

_DAYS = 365  # about a million at the daily mean of the profile
_BUILDS = "dags/build_marts"
_TIMEOUT_SECONDS = 1_800
_POLL_SECONDS = 2


@dataclass(frozen=True)
class Choices:
    """What a viewer may choose among."""

    agents: list[str]
    categories: list[str]
    dates: list[str]


@dataclass(frozen=True)
class Case:
    """A page: its address with random filters, and the options of a filter to click in turn, the default one last.

    An option maps to the text that the labels of the page's figures contain when it is selected.
    """

    page: str
    address: Callable[[Choices, random.Random], str]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """One line of the table, in seconds."""

    page: str
    first_view_median: float
    first_view_p95: float
    longest_first_click: float | None
    filter_median: float | None
    filter_p95: float | None


def _window(rng: random.Random) -> str:
    return rng.choice(["7d", "28d"])


def _range(choices: Choices, rng: random.Random) -> str:
    since, until = sorted(rng.sample(choices.dates, 2))
    return f"over-time?since={since}&until={until}"


def _windows(*windows: str) -> dict[str, str]:
    return {window: window_name(window) for window in windows}


CASES = (
    Case("Overview", lambda _, rng: f"?window={_window(rng)}", _windows("7d", "28d")),
    Case("Agents", lambda _, rng: f"agents?window={_window(rng)}", _windows("7d", ALL_TIME, "28d")),
    Case("One agent", lambda made, rng: f"agents?agent={rng.choice(made.agents)}&window={_window(rng)}"),
    Case("Categories", lambda _, rng: f"categories?window={_window(rng)}", _windows("7d", ALL_TIME, "28d")),
    Case("One category", lambda made, rng: f"categories?category={quote(rng.choice(made.categories))}"),
    Case("Over time", _range, {grain: f"by {grain}" for grain in ("hour", "week", "day")}),
    Case("Over time, by day", lambda *drawn: f"{_range(*drawn)}&grain=day"),
    Case("Pipeline", lambda _, rng: "pipeline"),
)


def measure(viewer: Viewer, case: Case, choices: Choices, repeats: int) -> Result:
    """The waiting times of one page."""
    rng = random.Random(1)
    firsts = []
    viewer.open(case.address(choices, rng))
    for _ in range(repeats):
        began = time.monotonic()
        viewer.open(case.address(choices, rng))
        firsts.append(time.monotonic() - began)
    viewer.open(case.address(choices, rng).partition("?")[0])
    clicks = [_click(viewer, *option) for option in case.options.items()]
    filters = [_click(viewer, *option) for option in islice(cycle(case.options.items()), repeats)]
    return Result(
        case.page,
        statistics.median(firsts),
        _p95(firsts),
        max(clicks, default=None),
        statistics.median(filters) if filters else None,
        _p95(filters) if filters else None,
    )


def _click(viewer: Viewer, option: str, name: str) -> float:
    began = time.monotonic()
    viewer.choose(option)
    viewer.page.locator(f"[aria-label*='{name}']").first.wait_for()
    viewer.wait()
    return time.monotonic() - began


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def fill(settings: Settings, events: int) -> None:
    """Send the history, wait until it has landed, and build the marts. Does nothing where that was done before."""
    with Warehouse(settings) as warehouse:
        if landing_counts(warehouse)["rows"] < events:
            simulate(settings, SimulateOptions(events=events, days=_DAYS))
            _wait(lambda: landing_counts(warehouse)["rows"] >= events, "landing of the history")
        began = time.monotonic()
        report = marts.build(settings)
        say(f"built {report.status} in {time.monotonic() - began:.0f} s")


def _wait(condition: Callable[[], bool], what: str) -> None:
    if not poll(condition, _TIMEOUT_SECONDS, _POLL_SECONDS):
        sys.exit(f"error: no {what} within {_TIMEOUT_SECONDS} s")


def _set_builds(settings: Settings, *, is_paused: bool) -> None:
    """Pause or resume Airflow's builds of the marts: two builds at once would only wait for each other."""

    def is_set() -> bool:
        try:
            return bool(airflow_api.call(settings, "PATCH", _BUILDS, {"is_paused": is_paused}))
        except AirflowError:
            return False  # the DAG has not been parsed yet

    _wait(is_set, "response of Airflow")


def _has_settled(settings: Settings) -> bool:
    try:
        runs = airflow_api.call(settings, "GET", "dags/~/dagRuns?state=running&state=queued")["dag_runs"]
    except AirflowError:
        return False
    return {run["dag_id"] for run in runs} <= {"run_stream", "build_marts"}


def choices(settings: Settings) -> Choices:
    """The choices in the marts."""
    with Warehouse(settings) as warehouse:
        first, last = queries.mart_dates(warehouse)
        place = {"as_of_date": last, "window_id": "28d", "row_limit": 10_000}
        return Choices(
            [row["agent_id"] for row in queries.LEADERBOARD.rows(warehouse, **place)],
            [row["category"] for row in queries.CATEGORIES.rows(warehouse, **place)],
            [str(first + timedelta(days=number)) for number in range((last - first).days + 1)],
        )


def results(settings: Settings, events: int, repeats: int) -> Iterator[Result]:
    """The lines of the table, one after the other; the stack is stopped at the end."""
    with stack.running(settings, say):
        _set_builds(settings, is_paused=True)
        fill(settings, events)
        _set_builds(settings, is_paused=False)
        Supervisord(settings).start(PRODUCER)
        made = choices(settings)
        _wait(lambda: _has_settled(settings), "end of the DAG runs after the start")
        with sync_playwright() as playwright:
            browser = launch(playwright)
            context = browser.new_context(viewport={"width": WIDE, "height": 900})
            for case in CASES:
                viewer = Viewer(context.new_page(), settings.dashboard)
                yield measure(viewer, case, made, repeats)
                viewer.page.close()
            browser.close()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--state", type=Path, help="state folder of the stack, which is kept for the next run")
    parser.add_argument("--results", type=Path, help="file for the results, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="csat-bench-") as folder:
        settings = Settings(state_dir=options.state or Path(folder), _env_file=None, **free_ports())
        lines = []
        for result in results(settings, options.events, options.repeats):
            lines.append(asdict(result))
            print(json.dumps(lines[-1]), flush=True)
    print(markdown(lines))
    if options.results:
        write(options.results, lines)


if __name__ == "__main__":
    main()
