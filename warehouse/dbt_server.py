"""A process that holds dbt ready: `python -m warehouse.dbt_server`. Most of a small build is dbt's own start.

Each call runs in a fork of its own, so nothing of it stays behind, neither memory nor a parsed project. The caller
hands over words, variables, the pipe for the output and its lock, and gets the exit code. When the caller goes away,
its call ends.
"""

import gc
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from csat.settings import ROOT, Settings, change_environment, get_settings

NICENESS = 10  # a build can wait; a stream that starts again on the same machine cannot
PROJECT = ROOT / "dbt"

Tell = Callable[[str], None]

_CONNECT_SECONDS = 2.0
_GRACE_SECONDS = 20
_LONGEST_REQUEST = 128 * 1024
_DIED = -1
# They bring nearly all that a build imports.
_PRELOADED = ("dbt.cli.main", "dbt.adapters.bigquery", "dbt.parser.schema_yaml_readers", "dbt.task.build")


def socket_file(settings: Settings) -> Path:
    """Where the server listens."""
    return settings.state / "dbt.sock"


def call(file: Path, words: Sequence[str], variables: dict[str, str], tell: Tell, lock: int) -> int | None:
    """dbt's exit code, its lines told as they come; None where no server listens. Negative: the call was killed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.settimeout(_CONNECT_SECONDS)
        try:
            server.connect(str(file))
        except OSError:
            return None
        server.settimeout(None)
        read_end, write_end = os.pipe()
        with os.fdopen(read_end, errors="replace") as output:
            request = json.dumps({"words": list(words), "variables": variables}).encode()
            try:
                socket.send_fds(server, [request], [write_end, lock])
            finally:
                os.close(write_end)
            for line in output:
                tell(line.rstrip())
        code = server.recv(16)
    return int(code) if code else _DIED


def serve(file: Path) -> None:
    """Answer calls until SIGTERM."""
    for name in _PRELOADED:
        import_module(name)
    # OpenBLAS and jemalloc keep a thread each, and both provide for forks
    warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning)
    gc.freeze()  # shared by all forks for as long as nobody touches it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    file.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(file))
        try:
            listener.listen()
            while True:
                connection, _ = listener.accept()
                with connection:
                    _answer(listener, connection)
        finally:
            file.unlink(missing_ok=True)


def _answer(listener: socket.socket, connection: socket.socket) -> None:
    request, handed_over, _, _ = socket.recv_fds(connection, _LONGEST_REQUEST, 2)
    if len(handed_over) == 2 and os.fork() == 0:
        listener.close()
        _run(connection, json.loads(request), *handed_over)
    for descriptor in handed_over:
        os.close(descriptor)


def _run(connection: socket.socket, request: dict[str, Any], output: int, _lock: int) -> NoReturn:
    """Run dbt in this fork, which holds the caller's lock for as long as it lives."""
    code = 2
    try:
        for signal_number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(signal_number, signal.SIG_DFL)
        os.dup2(output, sys.stdout.fileno())
        os.dup2(output, sys.stderr.fileno())
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a text file
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
        os.chdir(PROJECT)
        change_environment(**request["variables"])
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        code = _invoke(request["words"])
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        connection.send(str(code).encode())
        os._exit(code)


def _invoke(words: list[str]) -> int:
    from dbt.cli.main import dbtRunner

    outcome = dbtRunner().invoke(words)
    if outcome.exception is not None:
        print(outcome.exception)
        return 2
    return 0 if outcome.success else 1


def _end_with(connection: socket.socket) -> None:
    """End this fork when the caller has gone: gently, so that dbt cancels its queries, then at once."""
    connection.recv(1)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    serve(socket_file(get_settings()))
