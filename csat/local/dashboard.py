"""The dashboard on one machine: its address, its command line, and whether it answers."""

from pathlib import Path

import requests

from csat.contract.settings import Settings


def url(settings: Settings) -> str:
    """Its address."""
    return settings.dashboard_url.rstrip("/") or f"http://127.0.0.1:{settings.dashboard_port}"


def command(python: Path) -> list[str]:
    """The command line of its server."""
    return [str(python), "-m", "csat.dashboard.serve"]


def answers(settings: Settings, timeout_seconds: float = 3) -> bool:
    """Whether its server accepts viewers."""
    # By a name that it accepts: other containers reach it by another one
    headers = {"Host": settings.dashboard_hosts.partition(",")[0].strip()}
    try:
        answer = requests.get(f"{url(settings)}/_stcore/health", headers=headers, timeout=timeout_seconds)
        return answer.status_code == requests.codes.ok
    except requests.RequestException:
        return False
