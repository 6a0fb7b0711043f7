"""The stream as the guard sees it: its two state files, its process, and its timeouts."""

import logging
from dataclasses import dataclass
from typing import Self

from csat.airflow.backends.base import BackendError, Process, StreamBackend
from csat.airflow.backends.choose import backend as choose_backend
from csat.contract.settings import Settings
from csat.contract.version import code_version
from csat.control.state_files import StateFileError, StateFiles, StateFilesUnreachableError
from csat.control.verdict import DesiredState, Heartbeat, Policy

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """Seconds between polls and between equal log lines, and the grace period for a clean exit."""

    poll: float = 1
    log_interval: float = 300
    grace: float = 60
    kill_grace: float = 20  # Airflow gives on_kill 30 s

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The pace for a process on this machine, or for a batch that is polled over the network."""
        return cls(poll=settings.heartbeat_interval, grace=180) if settings.is_on_dataproc else cls()


class Stream:
    """The state files and the backend of one stream. Its methods block."""

    def __init__(self, state_files: StateFiles, backend: StreamBackend, policy: Policy, pace: Pace) -> None:
        self.state_files = state_files
        self.backend = backend
        self.policy = policy
        self.pace = pace
        self._warned = ""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The stream that the settings name."""
        # Not cached: a triggerer older than the code would otherwise recycle every new driver
        policy = Policy.of(settings, code_version.__wrapped__())
        return cls(StateFiles(settings.state_files), choose_backend(settings), policy, Pace.of(settings))

    def desired_state(self) -> DesiredState | None:
        """The desired state; a broken file counts as none, since the next start rewrites it.

        Raises StateFilesUnreachableError.
        """
        try:
            return self.state_files.desired_state()
        except StateFilesUnreachableError:
            raise  # unknown is not none: a healthy driver may be running
        except StateFileError as error:
            self.warn(error)
            return None

    def heartbeat(self) -> Heartbeat | None:
        """The heartbeat; a broken file counts as none. Raises StateFilesUnreachableError."""
        try:
            return self.state_files.heartbeat()
        except StateFilesUnreachableError:
            raise  # unknown is not none: a healthy driver may be running
        except StateFileError as error:
            self.warn(error)
            return None

    def process(self) -> Process | None:
        """The process; None if the backend is unreachable: then the state files must suffice."""
        try:
            process = self.backend.state()
            self._warned = ""
            return process
        except BackendError as error:
            self.warn(error)
            return None

    def warn(self, error: Exception) -> None:
        """Log an error once for as long as it stays the same: every poll meets it again."""
        if str(error) != self._warned:
            logger.warning("%s", error)
        self._warned = str(error)

    def log_tail(self, lines: int) -> list[str]:
        """The last lines of the driver's log, or why they cannot be read."""
        try:
            return self.backend.log_tail(lines)
        except BackendError as error:
            return [str(error)]
