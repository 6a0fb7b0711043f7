"""A source on a warehouse that is a list of answers, with a clock that is turned by hand."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from csat.settings import Settings
from dashboard import source as source_module
from dashboard.queries import Query, Rows
from dashboard.source import Source
from warehouse.client import WarehouseError

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANSWERS = Query("select answers from {agent_leaderboard} where x = @x")
BUILD = {"watermark_to": START - timedelta(minutes=5), "built_at": START - timedelta(minutes=4)}
DATES = {"first_date": date(2026, 10, 1), "last_date": date(2026, 11, 20)}


class World:
    """What the source sees of the world, and what it asked."""

    def __init__(self) -> None:
        self.settings = Settings(_env_file=None, dashboard_refresh_seconds=10)
        self.now = START
        self.version: str | Exception | None = "v1"
        self.builds: Rows = [BUILD]
        self.read_error: Exception | None = None
        self.asked: list[dict[str, Any]] = []

    def rows(self, sql: str, **parameters: Any) -> Rows:
        if self.read_error:
            raise self.read_error
        if "mart_builds" in sql:
            return self.builds
        if "min(leaderboard_date)" in sql:
            return [DATES]
        self.asked.append(parameters)
        if isinstance(self.version, Exception):
            raise self.version
        return [{"answer": len(self.asked)}]

    def look(self, *_: Any) -> str | None:
        if isinstance(self.version, Exception):
            raise self.version
        return self.version


class Turn(Executor):
    """Does what it is given when it is told to; by itself at once, unless it is held back."""

    def __init__(self) -> None:
        self.is_held = False
        self._waiting: list[Callable[[], None]] = []

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(function(*args, **kwargs))
            except WarehouseError as error:
                future.set_exception(error)

        self._waiting.append(work)
        if not self.is_held:
            self.end()
        return future

    def end(self) -> None:
        while self._waiting:
            self._waiting.pop(0)()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def renewer() -> Turn:
    return Turn()


@pytest.fixture
def source(world: World, renewer: Turn, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr(source_module, "table_version", world.look)
    return Source(world.settings, world, lambda: world.now, renewer)  # type: ignore[arg-type]


@pytest.fixture
def later(world: World) -> Callable[[float], None]:
    """Turns the clock on."""

    def turn(seconds: float) -> None:
        world.now += timedelta(seconds=seconds)

    return turn
