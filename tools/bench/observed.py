"""Runs a program and measures it: the rows that it reports as landed, and its CPU and memory."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from csat.contract.settings import ROOT

_TIMEOUT_SECONDS = 1_800
_SAMPLE_SECONDS = 0.5
_POLL_SECONDS = 0.05


@dataclass
class Run:
    """The measurements of one run; times are of the monotonic clock, landings are (time, rows)."""

    began: float
    started: float = 0.0
    landings: list[tuple[float, int]] = field(default_factory=list)
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    exit_code: int = 0

    @property
    def rows(self) -> int:
        """Rows landed."""
        return sum(rows for _, rows in self.landings)

    @property
    def ended(self) -> float:
        """When the last rows landed."""
        return self.landings[-1][0]

    @property
    def cold_rate(self) -> float:
        """Rows a second since the program reported that it started."""
        return self.rows / (self.ended - self.started)

    @property
    def whole_rate(self) -> float:
        """Rows a second since the process was created."""
        return self.rows / (self.ended - self.began)

    @property
    def warm_rate(self) -> float | None:
        """Rows a second after the first landing; None where there was only one."""
        first_at, first_rows = self.landings[0]
        return (self.rows - first_rows) / (self.ended - first_at) if self.ended > first_at else None


def observe(
    command: list[str], environment: dict[str, str], log: Path, kill_when: Callable[[], bool] | None = None
) -> Run:
    """Run the command to its end, or kill it with its children once `kill_when` is true."""
    run = Run(began=time.monotonic())
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    watchers = [threading.Thread(target=_watch, args=(process, run), daemon=True)]
    if kill_when is not None:
        watchers.append(threading.Thread(target=_kill, args=(process, kill_when), daemon=True))
    for watcher in watchers:
        watcher.start()
    timer = threading.Timer(_TIMEOUT_SECONDS, process.kill)
    timer.start()
    assert process.stdout is not None
    with log.open("a") as lines:
        for line in process.stdout:
            lines.write(line)
            _read_line(line, run)
    run.exit_code = process.wait(60)
    timer.cancel()
    for watcher in watchers:
        watcher.join()
    return run


def _read_line(line: str, run: Run) -> None:
    """Evaluate a line of the output: the program started, or landed rows."""
    text = line.rstrip()
    if text.endswith("started") or "The query has started" in text:
        run.started = run.started or time.monotonic()
    landed = re.search(r"landed (\d+)", text, re.IGNORECASE)
    if landed:
        run.landings.append((time.monotonic(), int(landed[1])))


def _kill(process: "subprocess.Popen[str]", kill_when: Callable[[], bool]) -> None:
    while process.poll() is None:
        if kill_when():
            os.killpg(process.pid, signal.SIGKILL)
            return
        time.sleep(_POLL_SECONDS)


def _watch(process: "subprocess.Popen[str]", run: Run) -> None:
    """CPU and memory (each shared page counted once) of the process and all its children."""
    seconds: dict[int, float] = {}
    while process.poll() is None:
        memory = 0
        for one in _family(process.pid):
            try:
                times = one.cpu_times()
                seconds[one.pid] = times.user + times.system
                memory += one.memory_full_info().pss
            except psutil.Error:
                continue
        run.peak_bytes = max(run.peak_bytes, memory)
        run.cpu_seconds = sum(seconds.values())
        time.sleep(_SAMPLE_SECONDS)


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []
