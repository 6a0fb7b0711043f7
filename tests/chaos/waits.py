"""Waits of the chaos run, each with a deadline."""

import time
from collections.abc import Callable

MAX_RECOVERY_SECONDS = 240


def wait_for(condition: Callable[[], bool], what: str, pause_seconds: float = 0.25) -> None:
    """Return once the condition is true. Raises AssertionError after MAX_RECOVERY_SECONDS."""
    deadline = time.monotonic() + MAX_RECOVERY_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"no {what} within {MAX_RECOVERY_SECONDS} s")
        time.sleep(pause_seconds)
