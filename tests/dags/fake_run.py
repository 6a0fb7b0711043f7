"""A stream run of which process and time are the test's."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from csat.airflow.backends.base import BackendError, Process
from csat.airflow.decide import Plan, RunStatus
from csat.airflow.stream_run import StreamRun
from csat.control.state_files import StateFiles, StateFilesUnreachableError
from csat.control.verdict import DesiredState, Policy

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
POLICY = Policy(startup=120, stale=20, stalled=120, lagging=600, slow_batches=10, memory_heartbeats=5, max_age=86_400)
AT_ONCE = Plan("new", "", NOON)
Make = Callable[..., Any]


class FakeBackend:
    """A fake process that starts and stops on request, or ends when the test says so."""

    def __init__(self) -> None:
        self.process = Process(False, None, "STOPPED")
        self.calls: list[str] = []

    def start(self, token: str) -> None:
        if self.process.token == token:
            return
        self.calls.append(f"start {token}")
        self.process = Process(True, None, "RUNNING", token)

    def state(self) -> Process:
        return self.process

    def stop(self, grace_seconds: float) -> None:
        self.calls.append("stop")
        self.process = Process(False, -1, "STOPPED", self.process.token)

    def log_tail(self, lines: int) -> list[str]:
        return ["last line"]


class SilentBackend(FakeBackend):
    """A backend that cannot be reached."""

    def state(self) -> Process:
        raise BackendError("no supervisord")

    def start(self, token: str) -> None:
        raise BackendError("no supervisord")


class SilentStore(StateFiles):
    """StateFiles in a store that does not respond while it is silent."""

    is_silent = True

    def desired_state(self) -> DesiredState | None:
        if self.is_silent:
            raise StateFilesUnreachableError("gs://a/desired_state.json cannot be accessed")
        return super().desired_state()


class Clock:
    """Time that passes only in sleep; actions run at set seconds."""

    def __init__(self) -> None:
        self.now = NOON
        self.elapsed = 0.0
        self.events: dict[int, Callable[[], None]] = {}

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.elapsed

    def set(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    def at(self, second: int, happens: Callable[[], None]) -> None:
        self.events[second] = happens

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.elapsed += seconds
        assert self.elapsed < 1000, "the run does not end"
        for second in [second for second in self.events if second <= self.elapsed]:
            self.events.pop(second)()
        await asyncio.sleep(0)


def end(stream_run: StreamRun) -> RunStatus:
    return asyncio.run(asyncio.wait_for(stream_run.end(), 20))
