"""The dashboard on one machine: its address, its command line, and whether it answers."""

from pathlib import Path

import requests

from csat.settings import Settings


def url(settings: Settings) -> str:
    """Where to look."""
    return f"http://127.0.0.1:{settings.dashboard_port}"


def command(python: Path) -> list[str]:
    """The command line of its server."""
    return [str(python), "-m", "dashboard.serve"]


def answers(settings: Settings, timeout_seconds: float = 3) -> bool:
    """Whether its server takes viewers."""
    try:
        return requests.get(f"{url(settings)}/_stcore/health", timeout=timeout_seconds).status_code == requests.codes.ok
    except requests.RequestException:
        return False
