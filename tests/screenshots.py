"""Pictures of the dashboard on a real stack with 30 simulated days: `python -m tests.screenshots <folder>`."""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from csat.cli.output import say
from csat.contract.settings import Settings
from csat.local import stack
from csat.local.demo import demo
from csat.local.ports import free_ports
from tests.integration.dashboard.browser import NARROW, WIDE, Scheme, Viewer, launch

# Name of the file: view, width, theme and height.
PICTURES: dict[str, tuple[str, int, Scheme, int]] = {
    "overview": ("", WIDE, "light", 1_010),
    "agents": ("agents", WIDE, "light", 1_010),
    "categories": ("categories", WIDE, "light", 1_010),
    "over-time": ("over-time?split=By+channel", WIDE, "light", 1_010),
    "pipeline": ("pipeline", WIDE, "light", 1_010),
    "overview-dark": ("", WIDE, "dark", 1_010),
    "overview-narrow": ("", NARROW, "light", 900),
}
_MOST_BYTES = 300_000
_DRAWING_MILLISECONDS = 1_500  # a chart comes a moment after its place


class PictureError(Exception):
    """A picture is not fit for the documents; the message says why."""


def take(url: str, folder: Path) -> None:
    """Every picture, into the folder. Raises PictureError."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name, (view, width, scheme, height) in PICTURES.items():
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            viewer = Viewer(context.new_page(), url)
            viewer.open(view)
            viewer.page.wait_for_timeout(_DRAWING_MILLISECONDS)
            picture = folder / f"{name}.png"
            viewer.page.screenshot(path=picture)
            context.close()
            if viewer.errors:
                raise PictureError(f"{name}: the browser complained: {viewer.errors[0]}")
            if picture.stat().st_size > _MOST_BYTES:
                raise PictureError(f"{picture} has {picture.stat().st_size:,} bytes, at most {_MOST_BYTES:,} may be")
            say(f"{picture}, {picture.stat().st_size:,} bytes")
        browser.close()


def main() -> None:
    """Start a stack, take its pictures, and end it."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description="Take pictures of the dashboard.")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    folder: Path = parser.parse_args().folder
    with tempfile.TemporaryDirectory(prefix="csat-pictures-") as state:
        settings = Settings(state_dir=Path(state), _env_file=None, **free_ports())
        with stack.running(settings, say):
            demo(settings, say)
            take(settings.dashboard, folder)


if __name__ == "__main__":
    main()
