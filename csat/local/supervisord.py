"""supervisord: its configuration, its process, and its API."""

import shlex
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil

from csat.clients import supervisor
from csat.clients.supervisor import ALIVE, STARTED, USER
from csat.contract.errors import CsatError
from csat.contract.polling import poll
from csat.contract.settings import ROOT, Settings, SettingsError, environment
from csat.local import processes
from csat.local.programs import Program, log_file, programs
from csat.local.secret_files import secret, write_private

_LOG_BYTES = "10MB"
_LOG_BACKUPS = 3
_STOPPING_SECONDS = 60  # more than any program's stopwaitsecs
_POLL_SECONDS = 0.2


class SupervisordError(CsatError):
    """supervisord does not respond, or refused; the message names the fix."""


def conf_file(settings: Settings) -> Path:
    """Path of the configuration; it holds secrets."""
    return settings.state / "supervisord.conf"


def pid_file(settings: Settings) -> Path:
    """Where supervisord writes its process id."""
    return settings.state / "supervisord.pid"


def conf(
    settings: Settings, chosen: Sequence[Program] | None = None, host: str = "127.0.0.1", folder: Path | None = None
) -> str:
    """Text of supervisord.conf.

    `chosen` are its programs (None: all of the stack), `host` is where it listens, and `folder` holds its pid file
    (None: the state folder).
    """
    server: dict[str, dict[str, object]] = {
        "supervisord": {
            "logfile": log_file(settings, "supervisord"),
            "pidfile": folder / pid_file(settings).name if folder else pid_file(settings),
            "childlogdir": settings.state / "logs",
            "umask": "077",
            "directory": ROOT,
            "identifier": "csat",
        },
        "inet_http_server": {
            "port": f"{host}:{settings.supervisord_port}",
            "username": USER,
            "password": secret(settings.state, "supervisord"),
        },
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface",
        },
        "supervisorctl": {
            "serverurl": f"http://127.0.0.1:{settings.supervisord_port}",
            "username": USER,
            "password": secret(settings.state, "supervisord"),
        },
    }
    sections = [_section(name, {key: _plain(value) for key, value in body.items()}) for name, body in server.items()]
    wanted = programs(settings) if chosen is None else chosen
    return "\n".join(sections + [_program(program, settings) for program in wanted])


def _program(program: Program, settings: Settings) -> str:
    prefix = ["nice", "-n", str(program.niceness)] if program.niceness else []
    values = {
        "command": _plain(shlex.join([*prefix, *program.command])),
        "directory": _plain(ROOT),
        "autostart": "false",
        "autorestart": "true" if program.is_restarted else "false",
        "startsecs": str(program.start_seconds),
        "startretries": "3" if program.is_restarted else "0",
        "stopsignal": program.stop_signal,
        "stopwaitsecs": str(program.stop_seconds),
        "stopasgroup": "true",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": _plain(log_file(settings, program.name)),
        "stdout_logfile_maxbytes": _LOG_BYTES,
        "stdout_logfile_backups": str(_LOG_BACKUPS),
    }
    if program.environment:
        values["environment"] = ",".join(f"{key}={_quoted(text)}" for key, text in program.environment.items())
    return _section(f"program:{program.name}", values)


def _section(name: str, values: dict[str, str]) -> str:
    return f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in values.items())


def _plain(value: object) -> str:
    text = str(value)
    # supervisord would read these as a comment or a new line: the format cannot escape them
    if any(mark in text for mark in ("\n", "\r", " ;", " #", "\t;", "\t#")):
        raise SettingsError(f"supervisord.conf cannot hold {text!r}: set CSAT_STATE_DIR to a plain path")
    return text.replace("%", "%%")


def _quoted(value: str) -> str:
    quote = "'" if '"' in value else '"'
    if quote in value or value.strip("'\"") != value:
        raise SettingsError(f"supervisord.conf cannot hold {value!r}: set CSAT_STATE_DIR to a path without quotes")
    return f"{quote}{_plain(value)}{quote}"


class Supervisord:
    """A client of the running supervisord. Every method may raise SupervisordError."""

    def __init__(self, settings: Settings, timeout_seconds: float = 5) -> None:
        self._settings = settings
        self._url = settings.supervisord
        self._timeout_seconds = timeout_seconds

    def programs(self) -> dict[str, dict[str, Any]]:
        """The state of each program by name, as supervisord reports it (statename, pid, exitstatus, …)."""
        return {info["name"]: info for info in self._call("getAllProcessInfo")}

    def start(self, *names: str) -> None:
        """Start the programs that do not run. Waits for those that are stopping, otherwise returns at once."""
        known = poll(lambda: self._settled(names), _STOPPING_SECONDS, _POLL_SECONDS)
        if known is None:
            raise SupervisordError(f"a program of {names} does not exit", "csat down")
        for name in names:
            if known[name]["statename"] not in ALIVE:
                self._call("startProcess", name, False)

    def stop(self, *names: str) -> None:
        """Request running programs to stop; returns at once. Ignores programs that an older stack does not have."""
        known = self.programs()
        for name in names:
            if name in known and known[name]["statename"] in STARTED:
                self._call("stopProcess", name, False)

    def shutdown(self) -> None:
        """Stop supervisord and all of its programs."""
        self._call("shutdown")

    def _settled(self, names: Iterable[str]) -> dict[str, dict[str, Any]] | None:
        """What each program does; None while one of these is stopping."""
        known = self.programs()
        return None if any(known[name]["statename"] == "STOPPING" for name in names) else known

    def _call(self, method: str, *arguments: Any) -> Any:
        password = secret(self._settings.state, "supervisord")
        try:
            with supervisor.server(self._url, password, self._timeout_seconds) as server:
                return getattr(server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            raise SupervisordError(f"supervisord refused {method}{arguments}: {fault.faultString}") from fault
        except (OSError, HTTPException, xmlrpc.client.Error) as error:
            raise SupervisordError(f"no supervisord of this stack at {self._url}: start it with `csat up`") from error


def process(settings: Settings) -> psutil.Process | None:
    """supervisord's process by its pid file; None if it has exited, or if the id is now another process's."""
    try:
        found = psutil.Process(int(pid_file(settings).read_text()))
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None
    return found if processes.is_of_stack(found, settings.state) else None


def is_current(settings: Settings, running: psutil.Process) -> bool:
    """Whether the running supervisord was started with these settings."""
    try:
        variables = running.environ()
    except psutil.Error:
        return False
    has_same_conf = conf_file(settings).exists() and conf_file(settings).read_text() == conf(settings)
    return has_same_conf and settings.as_environment().items() <= variables.items()


def launch(settings: Settings) -> None:
    """Write the configuration and start supervisord in a session of its own. Raises SupervisordError."""
    (settings.state / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(conf_file(settings), conf(settings))
    pid_file(settings).unlink(missing_ok=True)
    # The settings go through the environment, which every program inherits: no quoting, nothing in ps
    variables = environment(**settings.as_environment(), **{processes.MARK: str(settings.state)})
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(conf_file(settings))]
    done = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise SupervisordError(f"supervisord did not start: {(done.stderr or done.stdout).strip()[-500:]}")
