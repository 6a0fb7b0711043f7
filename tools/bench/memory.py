"""Memory of the stack's programs, and its growth."""

from collections.abc import Mapping, Sequence
from statistics import fmean, linear_regression
from typing import Any

import psutil

from csat.local.programs import STREAM

JVM, WORKERS = f"{STREAM}: JVM", f"{STREAM}: Python"
PARTS = (JVM, WORKERS)


def megabytes(programs: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Memory of each running program with its children, a page that several share counted once; the stream's by parts.

    `programs` is the state that supervisord reports.
    """
    found = {}
    for name, program in programs.items():
        if not program["pid"]:
            continue
        sizes = [_size(process) for process in _family(program["pid"])]
        found[name] = sum(size for _, size in sizes)
        if name == STREAM:
            found[JVM] = sum(size for kind, size in sizes if kind == "java")
            found[WORKERS] = found[name] - found[JVM]
    return {name: round(size, 1) for name, size in found.items()}


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _size(process: psutil.Process) -> tuple[str, float]:
    try:
        return process.name(), process.memory_full_info().pss / 1e6
    except psutil.Error:  # it has ended
        return "", 0.0


def percent_per_hour(minutes: Sequence[float], sizes: Sequence[float]) -> float:
    """Slope of the line of least squares through the sizes, as a share of their mean."""
    return linear_regression(minutes, sizes).slope * 60 / fmean(sizes) * 100
