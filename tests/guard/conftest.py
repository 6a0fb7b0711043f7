"""A whole stack with short timeouts, under load, and helpers to observe its guard: `make test-long NAME=guard`."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.contract.settings import Settings, environment
from csat.control.state_files import StateFiles
from csat.control.verdict import Heartbeat, State, ran_stably
from csat.local.supervisord import Supervisord
from tests.drivers import driver_ids
from tests.e2e.conftest import CSAT, RUNS, Platform, running_platform
from tests.integration.conftest import wait_for

PATIENCE = {
    "stale_seconds": 12,
    "startup_seconds": 45,
    "stalled_seconds": 45,
    "trigger_seconds": 2,
    "heartbeat_seconds": 1,
}


@dataclass
class Guarded:
    """The stream of a running platform and its guard."""

    platform: Platform

    @property
    def settings(self) -> Settings:
        return self.platform.settings

    @property
    def state_files(self) -> StateFiles:
        return StateFiles(self.settings.state_files)

    def stable(self, other_than: str = "", seconds: float = 240) -> Heartbeat:
        """The heartbeat of a driver that runs stably; waits for another driver than `other_than`."""

        def find() -> Heartbeat | None:
            desired_state, heartbeat = self.state_files.desired_state(), self.state_files.heartbeat()
            if desired_state is None or heartbeat is None or heartbeat.driver_id == other_than:
                return None
            is_there = self.pid() != 0 and datetime.now(UTC) - heartbeat.at < timedelta(seconds=5)
            is_working = heartbeat.state is State.RUNNING and heartbeat.rows_committed > 0
            return heartbeat if is_there and is_working and ran_stably(heartbeat, desired_state) else None

        found: Heartbeat = wait_for(find, seconds, "driver that does its work", pause=1)
        return found

    def pid(self, program: str = "stream") -> int:
        return int(Supervisord(self.settings).programs()[program]["pid"])

    def signal(self, number: signal.Signals, program: str = "stream") -> int:
        """Signal the program's group; returns its id."""
        pid: int = wait_for(lambda: self.pid(program), 120, program)
        os.killpg(os.getpgid(pid), number)
        return pid

    def run(self) -> str:
        """The DAG run of the current stream run."""
        return str(self.platform.airflow("GET", f"{RUNS}?order_by=-run_after&limit=1")["dag_runs"][0]["dag_run_id"])

    def end_of(self, run: str, seconds: float = 120) -> tuple[str, str]:
        """The state this DAG run ends with, and its task's log."""

        def ended() -> str | None:
            state = self.platform.airflow("GET", f"{RUNS}/{run}")["state"]
            return state if state in ("success", "failed") else None

        state = wait_for(ended, seconds, f"end of {run}", pause=1)
        return state, self.platform.guard_log(run)

    def drivers(self) -> list[int]:
        """Process ids of all drivers, whoever started them."""
        return driver_ids(self.settings.state, lambda command: command[1:3] == ["-m", "spark.stream_responses"])

    @contextmanager
    def never_two_drivers(self) -> Iterator[None]:
        """Counts the drivers five times a second; fails the test if there were two at once."""
        end, most = threading.Event(), [0]

        def count() -> None:
            while not end.wait(0.2):
                most[0] = max(most[0], len(self.drivers()))

        counter = threading.Thread(target=count, daemon=True)
        counter.start()
        try:
            yield
        finally:
            end.set()
            counter.join()
        assert most == [1]


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The stack with five responses per second, stopped after the last test."""
    with running_platform(tmp_path_factory.mktemp("guard"), **PATIENCE) as platform, load(platform):
        yield Guarded(platform)


@contextmanager
def load(platform: Platform) -> Iterator[None]:
    variables = environment(**platform.settings.as_environment())
    command: list[Any] = [CSAT, "simulate", "--rate", "5", "--seed", "3"]
    producer = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
        assert producer.poll() is None
    finally:
        producer.send_signal(signal.SIGINT)
        producer.wait(60)


def stays(condition: Any, seconds: float) -> bool:
    """Whether the condition holds at every poll for `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            return False
        time.sleep(0.5)
    return True
