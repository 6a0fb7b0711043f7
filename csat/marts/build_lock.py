"""The lock that allows one build of the marts at a time on a machine."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_WAIT_SECONDS = 600.0
_POLL_SECONDS = 0.2


class BuildLockError(Exception):
    """Another build does not end; the message names the lock."""


@contextmanager
def build_lock(folder: Path, progress: Callable[[str], None], wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[int]:
    """The file descriptor of the acquired lock; a child that inherits it holds the lock too. Raises BuildLockError."""
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    with (folder / "build.lock").open("w") as file:
        is_notified = False
        while not _acquired(file.fileno()):
            if time.monotonic() >= deadline:
                raise BuildLockError(
                    f"Another build of the marts is still running after {wait_seconds:g} s (lock: {file.name})."
                )
            if not is_notified:
                progress("Waiting for another build of the marts to finish.")
            is_notified = True
            time.sleep(_POLL_SECONDS)
        yield file.fileno()


def _acquired(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
