"""The dashboard in a real browser: servers, viewers, and the requests and errors of a viewer's browser."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, TimeoutError, expect

from csat.contract.settings import ROOT, Settings, environment
from csat.dashboard.palette import DARK, LIGHT
from csat.local import dashboard
from tests.integration.conftest import wait_for

Scheme = Literal["light", "dark"]
WIDE, NARROW = 1440, 390
PATHS = ["", "agents", "categories", "over-time", "pipeline", "runbook"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]  # of axe
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")  # and of tools/bootstrap
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
_FLAGS += ["--disable-component-update", "--disable-sync"]
# A page is drawn when its script has ended and it shows its figures, or the reason why there are none.
_REFRESH_MILLISECONDS = 1_200
_FIGURES = ".cards, .table, [data-testid=stAlert], .more"
_DRAWN = f"[data-testid=stApp][data-test-script-state=notRunning] :is({_FIGURES})"

expect.set_options(timeout=20_000)  # a busy machine draws late


def launch(playwright: Playwright, *flags: str) -> Browser:
    """Chromium, without requests of its own; `flags` are further ones."""
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        pytest.fail("no Chromium on PATH: tools/bootstrap chromium")
    return playwright.chromium.launch(executable_path=path, args=[*_FLAGS, *flags])


def _rgb(color: str) -> list[int]:
    return [int(color[place : place + 2], 16) for place in (1, 3, 5)]


class Server:
    """A running dashboard."""

    def __init__(self, settings: Settings) -> None:
        self.url = settings.dashboard
        self._log = settings.state / "dashboard.log"
        settings.state.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "csat.dashboard.serve"],
                env=environment(**settings.as_environment()),
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_for(lambda: dashboard.is_ready(settings), 60, "response of the dashboard")

    @property
    def log(self) -> str:
        """Its log."""
        return self._log.read_text()

    def stop(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(30)


@dataclass
class Viewer:
    """One browser window on the dashboard."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    foreign_requests: list[str] = field(default_factory=list)  # to addresses other than the server's

    def __post_init__(self) -> None:
        own = re.compile(rf"(data:|blob:|(http|ws)://{re.escape(self.url.removeprefix('http://'))}/)")
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "request", lambda request: None if own.match(request.url) else self.foreign_requests.append(request.url)
        )

    def open(self, path: str = "") -> None:
        """Open a view, and wait until it is drawn."""
        self.page.goto(f"{self.url}/{path}")
        self.wait()

    def wait(self) -> None:
        """Wait until the page is drawn."""
        try:
            self.page.locator(_DRAWN).first.wait_for(timeout=30_000)
        except TimeoutError as error:
            state = self.page.get_by_test_id("stApp").get_attribute("data-test-script-state")
            raise AssertionError(f"{self.page.url} is not drawn, {state}: {self.page.inner_text('body')}") from error

    def use(self, scheme: Scheme) -> None:
        """Change the operating system's theme, and wait until the page has it."""
        self.page.emulate_media(color_scheme=scheme)
        red, green, blue = _rgb({"light": LIGHT, "dark": DARK}[scheme].background)
        expect(self.page.get_by_test_id("stApp")).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
        self.page.wait_for_timeout(_REFRESH_MILLISECONDS)  # the charts follow at the next check
        self.wait()

    def wait_for_drawing(self, color: str) -> None:
        """Wait until a chart has an element of this colour."""
        expect(self.page.locator(f"svg [fill='{color}']").first).to_be_attached()

    def card(self, label: str) -> Locator:
        """The figure of a card."""
        return self.page.locator(".cards > div", has=self.page.get_by_text(label, exact=True)).locator(".value")

    def rows(self, caption: str) -> Locator:
        """The rows of a table."""
        table = self.page.get_by_role("region", name=re.compile(f"^{re.escape(caption)}"))
        return table.locator("tbody tr")

    def choose(self, option: str) -> None:
        """Click one of the buttons of a filter."""
        self.page.get_by_role("radio", name=option, exact=True).click()

    def expect_url(self, part: str) -> None:
        """Wait until the address ends with this page or filter, or has other filters after it."""
        expect(self.page).to_have_url(re.compile(f"{re.escape(part)}(&|$)"), timeout=10_000)
