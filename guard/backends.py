"""What owns the stream's process: one interface, one class for each place it runs in."""

import time
import xmlrpc.client
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol
from xml.parsers.expat import ExpatError

from csat import supervisor
from csat.settings import Settings

PROGRAM = "stream"
_LEAVE_SECONDS = 60  # longer than supervisord's stopwaitsecs, after which it kills the group
_POLL_SECONDS = 0.2
_LINE_BYTES = 400  # a guess, to ask for enough of the log


class BackendError(Exception):
    """The stream's process could not be asked, started or stopped; the message names the fix."""


@dataclass(frozen=True)
class Process:
    """What the backend knows of the process. The exit code is of its last end; None: it never ran."""

    is_alive: bool
    exit_code: int | None
    detail: str


class StreamBackend(Protocol):
    """Starts and stops the one process of the stream. Every method may raise BackendError."""

    def start(self, token: str) -> None:
        """Start a new process, after the end of one that still runs; it finds its token in control.json."""

    def state(self) -> Process:
        """What the process does now."""

    def stop(self, grace_seconds: float) -> None:
        """End the process and all its children; an error if it is still there after the grace."""

    def log_tail(self, lines: int) -> list[str]:
        """The last lines that the process wrote."""


class SupervisordBackend:
    """The process is a program of supervisord, with autostart and autorestart off: Airflow decides."""

    def __init__(
        self, url: str, password_file: Path, timeout_seconds: float = 5, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._url = url
        self._password_file = password_file
        self._timeout_seconds = timeout_seconds
        self._sleep = sleep

    def start(self, token: str) -> None:
        """Start the program, after the end of a process that still runs; the token is in control.json."""
        self.stop(_LEAVE_SECONDS)
        self._call("startProcess", PROGRAM, False)

    def state(self) -> Process:
        """What the program does now, by supervisord's word."""
        info = self._call("getProcessInfo", PROGRAM)
        name, code = str(info["statename"]), int(info["exitstatus"])
        has_ended = name not in supervisor.ALIVE and info["start"] > 0
        return Process(
            name in supervisor.ALIVE, code if has_ended else None, f"{name}, {info['description'] or info['spawnerr']}"
        )

    def stop(self, grace_seconds: float) -> None:
        """Send SIGTERM to the program's group and wait; supervisord sends SIGKILL after its stopwaitsecs."""
        if not self.state().is_alive:
            return
        self._ask_to_stop()
        for _ in range(max(1, int(grace_seconds / _POLL_SECONDS))):
            if not self.state().is_alive:
                return
            self._sleep(_POLL_SECONDS)
        raise BackendError(f"the program {PROGRAM} still runs {grace_seconds:g} s after SIGTERM: supervisorctl status")

    def log_tail(self, lines: int) -> list[str]:
        """The last lines of the program's log."""
        text = self._call("tailProcessStdoutLog", PROGRAM, 0, lines * _LINE_BYTES)[0]
        return str(text).splitlines()[-lines:]

    def _ask_to_stop(self) -> None:
        try:
            self._call("stopProcess", PROGRAM, False)
        except BackendError:
            if self.state().detail.split(",")[0] in supervisor.STARTED:
                raise  # else it left, or was leaving, on its own

    def _call(self, method: str, *arguments: Sequence[Any] | str | bool | int) -> Any:
        try:
            with self._server() as server:
                return getattr(server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            raise BackendError(f"supervisord refused {method}: {fault.faultString}; see its log") from fault
        except xmlrpc.client.ProtocolError as error:
            raise BackendError(
                f"supervisord at {self._url} answered {error.errcode} {error.errmsg}: is {self._password_file} its "
                "password? csat up writes it"
            ) from error
        except ExpatError as error:
            raise BackendError(f"{method}: the answer holds characters that XML cannot carry") from error
        except (OSError, HTTPException) as error:
            raise BackendError(f"no supervisord at {self._url} ({error}); start it: csat up") from error

    def _server(self) -> xmlrpc.client.ServerProxy:
        try:
            password = self._password_file.read_text().strip()
        except FileNotFoundError as error:
            raise BackendError(f"{self._password_file} is missing; csat up writes it") from error
        return supervisor.server(self._url, password, self._timeout_seconds)


def backend(settings: Settings) -> StreamBackend:
    """The backend that the settings name. Raises BackendError where it lacks one."""
    if settings.is_on_dataproc:
        from guard.dataproc import DataprocBackend  # it imports what stands above

        return DataprocBackend(settings)
    return SupervisordBackend(settings.supervisord, settings.state / "secrets" / "supervisord")
