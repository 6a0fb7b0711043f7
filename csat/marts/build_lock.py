"""The lock that allows one build of the marts at a time on a machine."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from csat.contract.errors import CsatError
from csat.contract.polling import poll

LOCK_WAIT_SECONDS = 600.0
_POLL_SECONDS = 0.2


@contextmanager
def build_lock(folder: Path, progress: Callable[[str], None], wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[int]:
    """The file descriptor of the acquired lock; a child that inherits it holds the lock too. Raises CsatError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("w") as file:
        if not _acquired(file.fileno()):
            progress("Waiting for another build of the marts to finish.")
            if not poll(lambda: _acquired(file.fileno()), wait_seconds, _POLL_SECONDS):
                raise CsatError(
                    f"Another build of the marts is still running after {wait_seconds:g} s (lock: {file.name})."
                )
        yield file.fileno()


def _acquired(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
