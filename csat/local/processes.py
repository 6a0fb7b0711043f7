"""Finds and ends the processes of one stack, even those that supervisord no longer tracks: all carry its mark."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

MARK = "CSAT_STACK"  # an environment variable that every process of the stack inherits; its value is the state folder
# The same in a command line: root in a container may not read the environment of another user's process
MARK_OPTION = "csat.stack"


def of_stack(state: Path) -> list[psutil.Process]:
    """The running processes that were started for this state folder, except this one and its parents."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [process for process in psutil.process_iter() if process.pid not in own and _mark(process) == str(state)]


def end(processes: Iterable[psutil.Process], grace_seconds: float) -> None:
    """Terminate the processes, and kill those that still run after `grace_seconds`."""
    left = list(processes)
    for process in left:
        _signal(process.terminate)
    _, left = psutil.wait_procs(left, timeout=grace_seconds)
    for process in left:
        _signal(process.kill)
    psutil.wait_procs(left, timeout=10)


def end_all(state: Path, grace_seconds: float) -> int:
    """End every process of this state folder, even those that start meanwhile; returns their number."""
    count, deadline = 0, time.monotonic() + grace_seconds + 30
    while (found := of_stack(state)) and time.monotonic() < deadline:
        count += len(found)
        end(found, grace_seconds)
    return count


def holder(port: int) -> psutil.Process | None:
    """The process that listens on a port of this machine; None where it is not visible."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:  # macOS shows them to root only
        return None
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            try:
                return psutil.Process(connection.pid)
            except psutil.NoSuchProcess:
                return None
    return None


def is_of_stack(process: psutil.Process, state: Path) -> bool:
    """Whether the process was started for this state folder."""
    return _mark(process) == str(state)


def _mark(process: psutil.Process) -> str | None:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        value: str | None = process.environ().get(MARK)
        return value
    except psutil.AccessDenied:
        return _mark_of_command(process) if os.geteuid() == 0 else None
    except (psutil.Error, OSError):
        return None


def _mark_of_command(process: psutil.Process) -> str | None:
    try:
        return next((part.partition("=")[2] for part in process.cmdline() if part.startswith(f"{MARK_OPTION}=")), None)
    except (psutil.Error, OSError):
        return None


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return
