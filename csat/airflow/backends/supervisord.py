"""The backend of one machine and of containers: supervisord runs the stream's process."""

import time
import xmlrpc.client
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from csat.airflow.backends.base import BackendError, Process
from csat.clients import supervisor
from csat.contract.polling import poll

PROGRAM = "stream"
_EXIT_SECONDS = 60  # longer than supervisord's stopwaitsecs, after which it kills the group
_POLL_SECONDS = 0.2
_LINE_BYTES = 400  # an estimate, to request enough of the log


class SupervisordBackend:
    """The process is a supervisord program with autostart and autorestart off: Airflow decides."""

    def __init__(
        self, url: str, password_file: Path, timeout_seconds: float = 5, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._url = url
        self._password_file = password_file
        self._timeout_seconds = timeout_seconds
        self._sleep = sleep

    def start(self, token: str) -> None:
        """Start the program, after stopping a process that still runs; the token is in desired_state.json."""
        self.stop(_EXIT_SECONDS)
        self._call("startProcess", PROGRAM, False)

    def state(self) -> Process:
        """The program's current state, as supervisord reports it."""
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
        self._request_stop()
        if not poll(lambda: not self.state().is_alive, grace_seconds, _POLL_SECONDS, self._sleep):
            raise BackendError(
                f"the program {PROGRAM} still runs {grace_seconds:g} s after SIGTERM: supervisorctl status"
            )

    def log_tail(self, lines: int) -> list[str]:
        """The last lines of the program's log."""
        text = self._call("tailProcessStdoutLog", PROGRAM, 0, lines * _LINE_BYTES)[0]
        return str(text).splitlines()[-lines:]

    def _request_stop(self) -> None:
        try:
            self._call("stopProcess", PROGRAM, False)
        except BackendError:
            if self.state().detail.split(",")[0] in supervisor.STARTED:
                raise  # else it has exited, or is exiting, by itself

    def _call(self, method: str, *arguments: Sequence[Any] | str | bool | int) -> Any:
        try:
            with self._server() as server:
                return getattr(server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            raise BackendError(f"supervisord refused {method}: {fault.faultString}; see its log") from fault
        except xmlrpc.client.ProtocolError as error:
            raise BackendError(
                f"supervisord at {self._url} responded {error.errcode} {error.errmsg}: is {self._password_file} its "
                "password? csat up writes it"
            ) from error
        except ExpatError as error:
            raise BackendError(f"{method}: the response contains characters that XML does not allow") from error
        except (OSError, HTTPException) as error:
            raise BackendError(f"no supervisord at {self._url} ({error}); start it: csat up") from error

    def _server(self) -> xmlrpc.client.ServerProxy:
        try:
            password = self._password_file.read_text().strip()
        except FileNotFoundError as error:
            raise BackendError(f"{self._password_file} is missing; csat up writes it") from error
        return supervisor.server(self._url, password, self._timeout_seconds)
