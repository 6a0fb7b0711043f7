"""The interface of every backend of the stream's process."""

from dataclasses import dataclass
from typing import Protocol

from csat.contract.errors import CsatError


class BackendError(CsatError):
    """The stream's process could not be queried, started or stopped; the message names the fix."""


@dataclass(frozen=True)
class Process:
    """What the backend knows about the process. The exit code is of its last end; None: it never ran.

    `token` is the one that it was started with; empty where the backend does not know it.
    """

    is_alive: bool
    exit_code: int | None
    detail: str
    token: str = ""


class StreamBackend(Protocol):
    """Starts and stops the one process of the stream. Every method may raise BackendError."""

    def start(self, token: str) -> None:
        """Start the process with this token, after stopping an earlier one that still runs.

        Does nothing if the process with this token was started before, or if another triggerer is starting it.
        """

    def state(self) -> Process:
        """The process's current state."""

    def stop(self, grace_seconds: float) -> None:
        """End the process and all its children; raises if it still runs after the grace period."""

    def log_tail(self, lines: int) -> list[str]:
        """The last lines of the process's log."""
