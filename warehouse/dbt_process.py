"""Processes that run dbt: a fork of the server that holds it ready (warehouse.dbt_server), or else one of its own.

Either holds the caller's lock for as long as it lives, and yields to the stream.
"""

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from csat.settings import ROOT, Settings, environment

PROJECT = ROOT / "dbt"
NICENESS = 10  # a build can wait; a stream that starts again on the same machine cannot

Tell = Callable[[str], None]

_CONNECT_SECONDS = 2.0
# dbt says its version within a second or two: a fork that says nothing for so long hangs.
_FIRST_LINE_SECONDS = 60.0


def socket_file(settings: Settings) -> Path:
    """Where the server listens."""
    return settings.state / "dbt.sock"


def run(settings: Settings, words: Sequence[str], variables: Mapping[str, str], tell: Tell, lock: int) -> int:
    """dbt's exit code, its lines told as they come. A fork that cannot be had, or dies, is made up for."""
    call = {"words": list(words), "environment": environment(**variables)}
    code = call_server(socket_file(settings), call, tell, lock)
    return run_alone(words, variables, tell, lock) if code is None else code


def run_alone(words: Sequence[str], variables: Mapping[str, str], tell: Tell, lock: int) -> int:
    """dbt's exit code, from a process of its own."""
    dbt = Path(sys.executable).with_name("dbt")
    with subprocess.Popen(
        ["nice", "-n", str(NICENESS), dbt, *words],
        env=environment(**variables),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=(lock,),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            tell(line.rstrip())
    return process.returncode


def call_server(file: Path, call: Mapping[str, object], tell: Tell, lock: int) -> int | None:
    """dbt's exit code from a fork of the server; None where there is none, or where it died and has ended."""
    try:
        server = connect(file)
    except OSError:
        return None
    with server:
        read_end, write_end = os.pipe()
        with os.fdopen(read_end, errors="replace") as output:
            try:
                socket.send_fds(server, [b"!"], [write_end, lock])
                server.sendall(json.dumps(call).encode() + b"\n")
            except OSError:
                return None
            finally:
                os.close(write_end)
            if not select.select([output], [], [], _FIRST_LINE_SECONDS)[0]:
                server.shutdown(socket.SHUT_WR)  # the fork ends with its caller
                tell("The server of dbt does not answer.")
            for line in output:
                tell(line.rstrip())
        try:
            code = server.recv(16)
        except ConnectionError:
            code = b""
    if not code:
        tell("The server of dbt gave up this call: dbt starts anew.")
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
    """The socket's address by way of its folder: a whole path may be longer than the 107 bytes that are allowed."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{file.name}"
    finally:
        os.close(folder)
