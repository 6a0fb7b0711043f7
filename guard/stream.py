"""The stream as the guard sees it: its two documents, its process, and how patient to be with it."""

import logging
from dataclasses import dataclass
from typing import Self

from csat.documents import DocumentError, Documents
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
        """The pace of one machine, or of documents in an object store."""
        return cls() if settings.is_local else cls(poll=settings.beat, grace=180)


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
        # Uncached, or a triggerer older than the code would recycle every new driver. Elsewhere the sources differ
        version = code_version.__wrapped__() if settings.is_local else ""
        policy = Policy.of(settings, version)
        return cls(Documents(settings.documents), choose_backend(settings), policy, Pace.of(settings))

    def control(self) -> Control | None:
        """The control document; a broken one counts as none, since the next start writes it anew."""
        try:
            return self.documents.control()
        except DocumentError as error:
            self._warn(error)
            return None

    def health(self) -> Health | None:
        """The health document; a broken one counts as none."""
        try:
            return self.documents.health()
        except DocumentError as error:
            self._warn(error)
            return None

    def process(self) -> Process | None:
        """The process; None when the backend cannot be asked, the documents must do then."""
        try:
            process = self.backend.state()
            self._warned = ""
            return process
        except BackendError as error:
            self._warn(error)
            return None

    def log_tail(self, lines: int) -> list[str]:
        """The last lines of the driver's log, or the reason why there are none."""
        try:
            return self.backend.log_tail(lines)
        except BackendError as error:
            return [str(error)]

    def _warn(self, error: Exception) -> None:
        if str(error) != self._warned:  # it is met again at every look
            logger.warning("%s", error)
        self._warned = str(error)
