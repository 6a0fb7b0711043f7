"""The backend of one machine and of containers: supervisord runs the stream's process."""

import time
import xmlrpc.client
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from csat.airflow.backends.base import BackendError, Process
from csat.clients import supervisor
from csat.contract.polling import poll
from csat.control.driver_token import DriverToken, DriverTokenError, start_lock

PROGRAM = "stream"
_EXIT_SECONDS = 60  # longer than supervisord's stopwaitsecs, after which it kills the group
_POLL_SECONDS = 0.2
_LINE_BYTES = 400  # an estimate, to request enough of the log


class SupervisordBackend:
    """The process is a supervisord program with autostart and autorestart off: Airflow decides.

    Its command is fixed, so its token is in a file, which says too whether the process was started.
    """

    def __init__(
        self,
        url: str,
        password_file: Path,
        token_file: Path,
        timeout_seconds: float = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url
        self._password_file = password_file
        self._token_file = token_file
        self._timeout_seconds = timeout_seconds
        self._sleep = sleep

    def start(self, token: str) -> None:
        """Start the program with this token, after stopping a process that still runs, unless it was started."""
        with _errors(), start_lock(self._token_file) as is_held:
            if not is_held:
                return
            driver = DriverToken.read(self._token_file)
            # One that runs under a token not marked as started is of a triggerer that ended before it marked it
            if driver.token != token or not (driver.is_started or self.state().is_alive):
                self.stop(_EXIT_SECONDS)
                DriverToken(token).write(self._token_file)
                self._call("startProcess", PROGRAM, False)
            DriverToken(token, is_started=True).write(self._token_file)

    def state(self) -> Process:
        """The program's current state, as supervisord reports it."""
        with _errors():
            driver = DriverToken.read(self._token_file)  # before the process: a later start only makes it look older
        info = self._call("getProcessInfo", PROGRAM)
        name, code = str(info["statename"]), int(info["exitstatus"])
        is_alive = name in supervisor.ALIVE
        has_ended = not is_alive and info["start"] > 0
        return Process(
            is_alive,
            code if has_ended else None,
            f"{name}, {info['description'] or info['spawnerr']}",
            driver.token if is_alive or driver.is_started else "",
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


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except DriverTokenError as error:
        raise BackendError(error.message, error.fix) from error
