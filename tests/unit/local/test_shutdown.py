"""Shutdown waits for the programs, but not forever."""

from typing import Any

import pytest

from csat.local import shutdown


class FakeSupervisord:
    """A supervisord whose program is alive for some requests."""

    def __init__(self, alive: int) -> None:
        self.alive = alive
        self.requests = 0

    def programs(self) -> dict[str, dict[str, Any]]:
        self.requests += 1
        return {"kafka": {"statename": "RUNNING" if self.requests <= self.alive else "STOPPED"}}


@pytest.mark.parametrize(("alive", "seconds", "requests"), [(2, 60, 3), (9, 0, 1)])
def test_wait_ends_with_the_program_or_with_its_time(
    monkeypatch: pytest.MonkeyPatch, alive: int, seconds: float, requests: int
) -> None:
    monkeypatch.setattr(shutdown, "_POLL_SECONDS", 0)
    supervisor: Any = FakeSupervisord(alive)
    shutdown._wait(supervisor, ["kafka", "unknown"], seconds)
    assert supervisor.requests == requests
