"""One emulator with the marts of a simulated history, and the dashboard on it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from csat.contract.settings import Settings, get_settings
from csat.dashboard import frame
from csat.local.ports import free_ports
from tests.dashboard_page import OpenPage, run_page
from tests.integration.dashboard.browser import WIDE, Scheme, Server, Viewer, launch
from tests.integration.dashboard.history import history, live, rejected
from tests.integration.marts.conftest import Marts
from tools.bench import emulator as emulators

OpenViewer = Callable[..., Viewer]
RESPONSES, DAYS, LIVE_RESPONSES = 12_000, 60, 30
# Markdown and HTML that would load a picture or run a script if it were not escaped.
EVIL = "Eve ![x](http://evil.example/x.png) <img src=x onerror='window.wasRun = true'>"


class Emulator:
    """An emulator that tests may stop and start again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._running = ExitStack()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self._running.enter_context(emulators.emulator(self.settings))

    def stop(self) -> None:
        """Stop it."""
        self._running.close()


@pytest.fixture(scope="package")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A running emulator."""
    state: Path = tmp_path_factory.mktemp("dashboard")
    settings = Settings(state_dir=state, dashboard_refresh_seconds=1, _env_file=None, **free_ports())
    one = Emulator(settings)
    try:
        one.start()
        yield one
    finally:
        one.stop()


@pytest.fixture(scope="package")
def marts(emulator: Emulator) -> Iterator[Marts]:
    """The marts of a simulated history that ends now."""
    settings = emulator.settings
    with emulators.dbt_ready(settings), emulators.empty_warehouse(settings) as warehouse:
        made = Marts(settings, warehouse)
        now = datetime.now(UTC)
        # At night the last of few responses may be hours old
        recent = live(LIVE_RESPONSES, now, first=RESPONSES)
        evil = {"agent_id": "evil", "agent_name": EVIL, "supervisor_name": EVIL}
        made.land(history(RESPONSES, DAYS, now) + [row | evil for row in recent])
        made.land([rejected(now, number=RESPONSES + LIVE_RESPONSES)])
        made.build()
        yield made


@pytest.fixture
def use_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Settings], None]]:
    """Makes this process read the given settings, without cached data."""

    def use(settings: Settings) -> None:
        frame.shared_source.clear()
        for name, value in settings.as_environment().items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()

    yield use
    get_settings.cache_clear()


Landed = list[dict[str, Any]]


@pytest.fixture
def page(marts: Marts, use_settings: Callable[[Settings], None]) -> OpenPage:
    """Runs a page, by the name of its module and with filters in its URL."""
    use_settings(marts.settings)

    return run_page


@pytest.fixture(scope="module")
def landed(marts: Marts) -> Landed:
    """The accepted rows of the landing table, with the day of the response."""
    accepted = (row for row in marts.landed if "survey_answered_at" in row)
    return [row | {"day": datetime.fromisoformat(row["survey_answered_at"]).date()} for row in accepted]


def last_days(landed: Landed, days: int, before: int = 0) -> Landed:
    last = max(row["day"] for row in landed) - timedelta(days=before)
    return [row for row in landed if last - timedelta(days=days - 1) <= row["day"] <= last]


def rate(rows: Landed) -> str:
    return f"{sum(row['csat_score'] >= 4 for row in rows) / len(rows):.1%}".replace("%", " %")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        one = launch(playwright)
        yield one
        one.close()


@pytest.fixture(scope="module")
def server(marts: Marts) -> Iterator[Server]:
    """The dashboard on the simulated history."""
    one = Server(marts.settings)
    yield one
    one.stop()


@pytest.fixture
def viewer(server: Server, browser: Browser) -> Iterator[OpenViewer]:
    """Opens windows; at the end, none has sent a request to another server or logged an error."""
    viewers: list[Viewer] = []

    def make(width: int = WIDE, scheme: Scheme = "light", url: str = server.url) -> Viewer:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        viewers.append(Viewer(context.new_page(), url))
        return viewers[-1]

    yield make
    for one in viewers:
        one.page.context.close()
    assert [address for one in viewers for address in one.foreign_requests] == []
    assert [error for one in viewers for error in one.errors] == []
