"""Processes that run dbt: a fork of the dbt server (csat.marts.dbt_server), or a new process.

Either holds the caller's lock as long as it runs, and has a lower CPU priority than the stream.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from csat.contract.settings import ROOT, Settings, environment

PROJECT = ROOT / "dbt"
NICENESS = 10  # a build can wait; a stream that restarts on the same machine cannot

Progress = Callable[[str], None]

_CONNECT_SECONDS = 2.0
# dbt prints its version within a second or two: a fork without output for this long hangs.
_FIRST_LINE_SECONDS = 60.0


def socket_file(settings: Settings) -> Path:
    """Where the server listens."""
    return settings.state / "dbt.sock"


def run(
    settings: Settings, arguments: Sequence[str], variables: Mapping[str, str], progress: Progress, lock: int
) -> int:
    """dbt's exit code; passes on its lines as they come. Starts a process where no fork is available or it dies."""
    request = {"arguments": list(arguments), "environment": environment(**variables)}
    code = call_server(socket_file(settings), request, progress, lock)
    return run_alone(arguments, variables, progress, lock) if code is None else code


def run_alone(arguments: Sequence[str], variables: Mapping[str, str], progress: Progress, lock: int) -> int:
    """dbt's exit code, from a new process."""
    dbt = Path(sys.executable).with_name("dbt")
    with subprocess.Popen(
        ["nice", "-n", str(NICENESS), dbt, *arguments],
        env=environment(**variables),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=(lock,),
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                progress(line.rstrip())
        except Exception:
            process.send_signal(signal.SIGINT)  # dbt cancels its queries
            raise
    return process.returncode


def call_server(file: Path, request: Mapping[str, object], progress: Progress, lock: int) -> int | None:
    """dbt's exit code from a fork of the server; None where there is no server, or where the fork died."""
    try:
        server = connect(file)
    except OSError:
        return None
    with server:
        read_end, write_end = os.pipe()
        with os.fdopen(read_end, errors="replace") as output:
            try:
                socket.send_fds(server, [b"!"], [write_end, lock])
                server.sendall(json.dumps(request).encode() + b"\n")
            except OSError:
                return None
            finally:
                os.close(write_end)
            if not select.select([output], [], [], _FIRST_LINE_SECONDS)[0]:
                server.shutdown(socket.SHUT_WR)  # the fork stops when its caller disconnects
                progress("The dbt server does not respond.")
            for line in output:
                progress(line.rstrip())
        try:
            code = server.recv(16)
        except ConnectionError:
            code = b""
    if not code:
        progress("The dbt server did not complete this run: starting a new dbt process.")
    return int(code) if code else None


def connect(file: Path) -> socket.socket:
    """A connection to the server. Raises OSError where none listens."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.settimeout(_CONNECT_SECONDS)
    try:
        with short_address(file) as address:
            server.connect(address)
    except OSError:
        server.close()
        raise
    server.settimeout(None)
    return server


@contextmanager
def short_address(file: Path) -> Iterator[str]:
    """The socket's address by its folder's descriptor: a full path may be longer than the 107 bytes allowed."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{file.name}"
    finally:
        os.close(folder)
