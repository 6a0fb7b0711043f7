"""The drivers of a stack's stream, as the machine sees them."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import psutil


def driver_ids(state: Path, is_driver: Callable[[list[str]], bool]) -> list[int]:
    """Process ids of the drivers of the stack in this state folder, whoever started them.

    `is_driver` knows one by its command line. What a driver forks has the same until it becomes another program: it is
    none.
    """
    found = {}
    for process in psutil.process_iter(["cmdline", "ppid", "status"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE or not is_driver(process.info["cmdline"] or []):
            continue
        with contextlib.suppress(psutil.Error):
            if process.environ().get("CSAT_STATE_DIR") == str(state):
                found[process.pid] = process.info["ppid"]
    return [pid for pid, parent in found.items() if parent not in found]
