"""The stream as the guard sees it: its two documents, its process, and how patient to be with it."""

import logging
from dataclasses import dataclass
from typing import Self

from csat.documents import DocumentError, Documents, DocumentsUnreachableError
from csat.health import Control, Health, Policy
from csat.settings import Settings
from csat.version import code_version
from guard.backends import BackendError, Process, StreamBackend
from guard.backends import backend as choose_backend

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """Seconds between looks, between equal log lines, and that a driver has to leave in good order."""

    poll: float = 1
    say: float = 300
    grace: float = 60
    kill_grace: float = 20  # Airflow gives on_kill 30 s

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The pace of a process on this machine, or of a batch that is asked over the network."""
        return cls(poll=settings.beat, grace=180) if settings.is_on_dataproc else cls()


class Stream:
    """The documents and the backend of one stream. Its methods block."""

    def __init__(self, documents: Documents, backend: StreamBackend, policy: Policy, pace: Pace) -> None:
        self.documents = documents
        self.backend = backend
        self.policy = policy
        self.pace = pace
        self._warned = ""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The stream that the settings name."""
        # Uncached, or a triggerer older than the code would recycle every new driver
        policy = Policy.of(settings, code_version.__wrapped__())
        return cls(Documents(settings.documents), choose_backend(settings), policy, Pace.of(settings))

    def control(self) -> Control | None:
        """The control document; a broken one counts as none, since the next start writes it anew.

        Raises DocumentsUnreachableError.
        """
        try:
            return self.documents.control()
        except DocumentsUnreachableError:
            raise  # unknown is not none: a driver may run well
        except DocumentError as error:
            self.warn(error)
            return None

    def health(self) -> Health | None:
        """The health document; a broken one counts as none. Raises DocumentsUnreachableError."""
        try:
            return self.documents.health()
        except DocumentsUnreachableError:
            raise  # unknown is not none: a driver may run well
        except DocumentError as error:
            self.warn(error)
            return None

    def process(self) -> Process | None:
        """The process; None when the backend cannot be asked, the documents must do then."""
        try:
            process = self.backend.state()
            self._warned = ""
            return process
        except BackendError as error:
            self.warn(error)
            return None

    def warn(self, error: Exception) -> None:
        """Log an error, once for as long as it stays the same: it is met again at every look."""
        if str(error) != self._warned:
            logger.warning("%s", error)
        self._warned = str(error)

    def log_tail(self, lines: int) -> list[str]:
        """The last lines of the driver's log, or the reason why there are none."""
        try:
            return self.backend.log_tail(lines)
        except BackendError as error:
            return [str(error)]
