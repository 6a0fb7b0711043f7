"""One build of the marts at a time on a machine."""

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
def build_lock(folder: Path, tell: Callable[[str], None], wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[int]:
    """The lock's file descriptor once it is ours; a child that inherits it keeps the lock. Raises BuildLockError."""
    folder.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    with (folder / "build.lock").open("w") as file:
        is_told = False
        while not _is_taken(file.fileno()):
            if time.monotonic() >= deadline:
                raise BuildLockError(
                    f"Another build of the marts still runs after {wait_seconds:g} s (lock: {file.name})."
                )
            if not is_told:
                tell("Waiting for another build of the marts to end.")
            is_told = True
            time.sleep(_POLL_SECONDS)
        yield file.fileno()


def _is_taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
