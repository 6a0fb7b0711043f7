"""The dashboard on one machine: its command line, and whether it is ready."""

from pathlib import Path

import requests

from csat.contract.settings import Settings


def command(python: Path) -> list[str]:
    """The command line of its server."""
    return [str(python), "-m", "csat.dashboard.serve"]


def is_ready(settings: Settings, timeout_seconds: float = 3) -> bool:
    """Whether its server accepts viewers."""
    # With a host name that it accepts: other containers reach it by another name
    headers = {"Host": settings.dashboard_hosts.partition(",")[0].strip()}
    try:
        response = requests.get(f"{settings.dashboard}/_stcore/health", headers=headers, timeout=timeout_seconds)
        return response.status_code == requests.codes.ok
    except requests.RequestException:
        return False
