"""The programs' logs."""

import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.local.programs import log_file

_POLL_SECONDS = 0.3


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log; none if there is no file."""
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=lines)]
    except FileNotFoundError:
        return []


def names(settings: Settings) -> list[str]:
    """The programs that have written a log."""
    return sorted(path.stem for path in (settings.state / "logs").glob("*.log"))


def read(settings: Settings, component: str | None, lines: int) -> list[str]:
    """The last lines of one component, or of every component prefixed with its name. Raises CsatError."""
    if component is None:
        known = names(settings)
        return [f"{name} | {line}" for name in known for line in tail(log_file(settings, name), lines)]
    _check(settings, component)
    return tail(log_file(settings, component), lines)


def follow(settings: Settings, component: str) -> Iterator[str]:
    """The lines that a component writes from now on, endlessly and across rotations. Raises CsatError."""
    _check(settings, component)
    path = log_file(settings, component)
    file = path.open(errors="replace")
    file.seek(0, 2)
    while True:
        if line := file.readline():
            yield line.rstrip("\n")
            continue
        time.sleep(_POLL_SECONDS)
        if path.exists() and path.stat().st_ino != os.fstat(file.fileno()).st_ino:
            file.close()
            file = path.open(errors="replace")


def _check(settings: Settings, component: str) -> None:
    known = names(settings)
    if component not in known:
        raise CsatError(f"no log of {component}", f"name one of {', '.join(known) or '(none yet: csat up)'}")
