"""A server process with dbt already imported: `python -m csat.marts.dbt_server`. Start-up dominates a small dbt build.

Each request runs in its own fork, so nothing of it remains, neither memory nor a parsed project, and a fork does what
`dbt` would do. The caller passes arguments, environment, the output pipe and its lock, and gets the exit code. When the
caller disconnects, its fork ends. The server exits when a loaded file has changed, or when its memory has grown;
supervisord restarts it, and meanwhile callers start dbt themselves.
"""

import atexit
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
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn, cast

import psutil

from csat.contract.settings import get_settings, replace_environment
from csat.marts.dbt_process import NICENESS, PROJECT, short_address, socket_file

_REQUEST_SECONDS = 5.0
_GRACE_SECONDS = 20
_MAX_BYTES = 1_000_000_000
# They import nearly everything that a build needs.
_PRELOADED = ("dbt.cli.main", "dbt.adapters.bigquery", "dbt.parser.schema_yaml_readers", "dbt.task.build")

Stamps = dict[str, tuple[int, int] | None]


def serve(file: Path) -> None:
    """Serve requests until SIGTERM, or until the server needs a restart."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with _bound(file) as listener:  # before the long imports, so that a failure shows at once
        for name in _PRELOADED:
            import_module(name)
        loaded = {name: _stamp(name) for name in _module_files()}
        # OpenBLAS and jemalloc each run a thread, and both support forks
        warnings.filterwarnings("ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning)
        gc.freeze()  # memory stays shared with the forks
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
        listener.listen()
        while True:
            connection, _ = listener.accept()
            with connection:
                if reason := _reason_to_exit(loaded):
                    print(reason, flush=True)
                    return
                _handle(listener, connection)


def _bound(file: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    file.unlink(missing_ok=True)
    mask = os.umask(0o177)
    try:
        with short_address(file) as address:
            listener.bind(address)
    finally:
        os.umask(mask)
    return listener


def _module_files() -> list[str]:
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    return [file for file in files if file]


def _stamp(file: str) -> tuple[int, int] | None:
    try:
        status = os.stat(file)  # noqa: PTH116  # for 2,000 files before each call
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _reason_to_exit(loaded: Stamps) -> str:
    changed = next((file for file, stamp in loaded.items() if _stamp(file) != stamp), None)
    if changed:
        return f"{changed} has changed"
    size = psutil.Process().memory_info().rss
    return f"the server has grown to {size:,} bytes" if size > _MAX_BYTES else ""


def _handle(listener: socket.socket, connection: socket.socket) -> None:
    connection.settimeout(_REQUEST_SECONDS)
    try:
        _, descriptors, _, _ = socket.recv_fds(connection, 1, 2)
    except OSError:
        return
    if len(descriptors) == 2 and os.fork() == 0:
        listener.close()
        _run_and_exit(connection, *descriptors)
    for descriptor in descriptors:
        os.close(descriptor)


def _run_and_exit(connection: socket.socket, output: int, _lock: int) -> NoReturn:
    """Run dbt in this fork, which holds the caller's lock as long as it runs."""
    try:
        os.dup2(output, sys.stdout.fileno())
        os.dup2(output, sys.stderr.fileno())
        os.close(output)
        cast(TextIOWrapper, sys.stdout).reconfigure(line_buffering=True)  # pass on complete lines
        code = _run(connection)
        sys.stdout.flush()
        connection.sendall(str(code).encode())
    except BaseException:  # noqa: BLE001  # no exception may reach the server's code
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()  # multiprocessing's deletes dbt's semaphores; os._exit runs none
        os._exit(0)


def _run(connection: socket.socket) -> int:
    with connection.makefile("rb") as stream:
        request = json.loads(stream.readline())
    connection.settimeout(None)
    for signal_number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the server was started in the background
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    os.chdir(PROJECT)
    replace_environment(request["environment"])
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    return _dbt(request["arguments"])


def _dbt(arguments: list[str]) -> int:
    """The exit code of `dbt` with these arguments."""
    from dbt.cli.main import cli

    try:
        cli(arguments, prog_name="dbt")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _end_with(connection: socket.socket) -> None:
    """End this fork when the caller disconnects: by SIGINT first, so that dbt cancels its queries, then at once."""
    connection.recv(1)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    serve(socket_file(get_settings()))
