"""The token of supervisord's next driver, in a file: supervisord starts one fixed command, which cannot hold it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from csat.contract.errors import CsatError

_STARTED = "started"


class DriverTokenError(CsatError):
    """The token cannot be read or written, or there is none; the message names the file and the fix."""


def token_file(state: Path) -> Path:
    """The file, in the stack's state folder."""
    return state / "stream" / "driver_token"


@dataclass(frozen=True)
class DriverToken:
    """The token, and whether its process was started; both empty before the first start."""

    token: str = ""
    is_started: bool = False

    @classmethod
    def read(cls, path: Path) -> "DriverToken":
        """What the file holds. Raises DriverTokenError."""
        with _errors(path):
            if not path.exists():
                return cls()
            words = path.read_text().split()
        return cls(words[0] if words else "", _STARTED in words[1:])

    def write(self, path: Path) -> None:
        """Replace the file. Another token only once the last one's process has ended. Raises DriverTokenError."""
        with _errors(path):
            draft = path.with_suffix(".draft")
            draft.write_text(f"{self.token} {_STARTED}" if self.is_started else self.token)
            draft.replace(path)


def read_token(path: Path) -> str:
    """The token of the driver that supervisord starts. Raises DriverTokenError."""
    if token := DriverToken.read(path).token:
        return token
    raise DriverTokenError(f"{path} holds no token", "let Airflow start the stream, or start it without --managed")


@contextmanager
def start_lock(path: Path) -> Iterator[bool]:
    """Keep other processes of this machine from starting a driver; False if one of them is doing so.

    Raises DriverTokenError.
    """
    with _errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.with_suffix(".lock").open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DriverTokenError(
            f"{path} cannot be accessed ({error.strerror})", "check the disk, and who owns CSAT_STATE_DIR"
        ) from error
    except UnicodeDecodeError as error:
        raise DriverTokenError(f"{path} is not a token's file", "delete it") from error
