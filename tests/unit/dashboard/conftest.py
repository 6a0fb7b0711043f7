"""A source on a fake warehouse that numbers its rows, with a manual clock; and pages on canned rows."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from csat.bigquery.client import WarehouseError
from csat.bigquery.query import Query, Rows
from csat.contract.settings import Settings, get_settings
from csat.dashboard import frame
from csat.dashboard import source as source_module
from csat.dashboard.source import Source
from tests.dashboard_page import OpenPage, run_page
from tests.unit.dashboard.canned import CannedWarehouse

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
RESPONSES = Query("select responses from marts.agent_leaderboard where x = @x")
BUILD = {"watermark_to": START - timedelta(minutes=5), "built_at": START - timedelta(minutes=4)}
DATES = {"first_date": date(2026, 10, 1), "last_date": date(2026, 11, 20)}


class FakeWarehouse:
    """The warehouse, its clock, and the queries that the source ran."""

    def __init__(self) -> None:
        self.settings = Settings(_env_file=None, dashboard_refresh_seconds=10)
        self.now = START
        self.version: str | Exception | None = "v1"
        self.builds: Rows = [BUILD]
        self.tests_version = "t1"
        self.failures: Rows = []
        self.failure_queries = 0
        self.read_error: Exception | None = None
        self.queried: list[dict[str, Any]] = []

    def rows(self, sql: str, **parameters: Any) -> Rows:
        if self.read_error:
            raise self.read_error
        if "dbt_tests" in sql:
            self.failure_queries += 1
            return self.failures
        if "mart_builds" in sql:
            return self.builds
        if "min(leaderboard_date)" in sql:
            return [DATES]
        self.queried.append(parameters)
        if isinstance(self.version, Exception):
            raise self.version
        return [{"row": len(self.queried)}]

    def version_of(self, _: object, table: str, *__: Any) -> str | None:
        if table.endswith("dbt_tests"):
            return self.tests_version
        if isinstance(self.version, Exception):
            raise self.version
        return self.version


class ManualExecutor(Executor):
    """Runs its work at once, or, while paused, when run_all is called."""

    def __init__(self) -> None:
        self.is_paused = False
        self._waiting: list[Callable[[], None]] = []

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(function(*args, **kwargs))
            except WarehouseError as error:
                future.set_exception(error)

        self._waiting.append(work)
        if not self.is_paused:
            self.run_all()
        return future

    def run_all(self) -> None:
        while self._waiting:
            self._waiting.pop(0)()


@pytest.fixture
def warehouse() -> FakeWarehouse:
    return FakeWarehouse()


@pytest.fixture
def refresher() -> ManualExecutor:
    return ManualExecutor()


@pytest.fixture
def source(warehouse: FakeWarehouse, refresher: ManualExecutor, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr(source_module, "table_version", warehouse.version_of)
    used: Any = warehouse
    return Source(warehouse.settings, used, lambda: warehouse.now, refresher)


@pytest.fixture
def later(warehouse: FakeWarehouse) -> Callable[[float], None]:
    """Advances the clock."""

    def advance(seconds: float) -> None:
        warehouse.now += timedelta(seconds=seconds)

    return advance


@pytest.fixture
def canned(monkeypatch: pytest.MonkeyPatch) -> CannedWarehouse:
    """The warehouse that the pages of the fixture `page` read."""
    held = CannedWarehouse(get_settings())
    used: Any = held
    one = Source(held.settings, used)
    monkeypatch.setattr(source_module, "table_version", lambda *_: "v1")
    monkeypatch.setattr(frame, "shared_source", lambda *_: one)
    return held


@pytest.fixture
def page(canned: CannedWarehouse) -> OpenPage:
    """Runs a page on the canned rows, by the name of its module and with filters in its address."""
    return run_page
