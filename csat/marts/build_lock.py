"""The lock that allows one build of the marts at a time in a state folder: dbt's files there are those of one build.

The file names the build that has the lock, or had it last. Who gets the lock knows that this build and its dbt have
ended, also where they were killed.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from csat.contract.errors import CsatError
from csat.contract.polling import poll

LOCK_WAIT_SECONDS = 600.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class BuildLock:
    """An acquired lock. A child that inherits its file descriptor holds the lock too."""

    descriptor: int
    ended_token: str  # of the last build; empty before the first


@contextmanager
def build_lock(
    folder: Path, token: str, holder: str, progress: Callable[[str], None], wait_seconds: float = LOCK_WAIT_SECONDS
) -> Iterator[BuildLock]:
    """The acquired lock, under the token and the name of this build. Raises CsatError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "build.lock"
    with path.open("a") as file:
        if not _acquired(file.fileno()):
            progress(f"Waiting for another build of the marts: {_read(path)[1]}.")
            if not poll(lambda: _acquired(file.fileno()), wait_seconds, _POLL_SECONDS):
                raise CsatError(
                    f"Another build of the marts still runs after {wait_seconds:g} s: {_read(path)[1]}",
                    f"wait, or end it (lock: {path}).",
                )
        ended_token, _ = _read(path)
        file.truncate(0)
        file.write(f"{token} {holder} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        file.flush()
        yield BuildLock(file.fileno(), ended_token)


def _read(path: Path) -> tuple[str, str]:
    """The token and the name of the build that wrote the file last."""
    token, _, holder = path.read_text().partition(" ")
    return token, holder or "just started"


def _acquired(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
