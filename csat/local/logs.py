"""The programs' logs."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

from csat.contract.choices import unknown_name
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.local.log_times import line_time, lines_since
from csat.local.programs import log_file

_POLL_SECONDS = 0.3
_ALL = 10_000_000  # more lines than a log has before it is rotated


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log; none if there is no file."""
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=lines)]
    except FileNotFoundError:
        return []


def since(path: Path, moment: datetime, lines: int) -> list[str]:
    """The lines of a log, and of its rotated files, from `moment` on.

    Of a program that writes no times they are the last `lines`, if it has written anything since.
    """
    files = [file for file in _rotated(path) if file.stat().st_mtime >= moment.timestamp()]
    found = [line for file in files for line in tail(file, _ALL)]
    if any(line_time(line) for line in found):
        return list(lines_since(found, moment))
    return found[-lines:] if lines else []


def names(settings: Settings) -> list[str]:
    """The programs that have written a log."""
    return sorted(path.stem for path in (settings.state / "logs").glob("*.log"))


def read(settings: Settings, component: str | None, lines: int, moment: datetime | None = None) -> list[str]:
    """The last lines of one component, or of every component prefixed with its name. Raises CsatError.

    With `moment` they are all lines since then.
    """

    def chosen(name: str) -> list[str]:
        path = log_file(settings, name)
        return tail(path, lines) if moment is None else since(path, moment, lines)

    if component is None:
        return [_prefixed(name, line) for name in names(settings) for line in chosen(name)]
    _check(settings, component)
    return chosen(component)


def follow(settings: Settings, component: str | None, sleep: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """The lines that a component writes from now on, endlessly and across rotations. Raises CsatError.

    None: those of every component, also of one that starts later, prefixed with its name.
    """
    if component is not None:
        _check(settings, component)
    known = [component] if component is not None else names(settings)
    followed = {name: _Follower(log_file(settings, name), is_new=False) for name in known}
    while True:
        for name in [] if component is not None else names(settings):
            if name not in followed:
                followed[name] = _Follower(log_file(settings, name), is_new=True)
        found = [(name, line) for name, follower in followed.items() for line in follower.lines()]
        yield from (line if component is not None else _prefixed(name, line) for name, line in found)
        if not found:
            sleep(_POLL_SECONDS)


class _Follower:
    """Reads what is appended to one file, from its end unless it is new."""

    def __init__(self, path: Path, is_new: bool) -> None:
        self._path = path
        self._rest = ""  # of a line that is not complete yet
        self._file: IO[str] = path.open(errors="replace")
        if not is_new:
            self._file.seek(0, os.SEEK_END)

    def lines(self) -> list[str]:
        """The complete lines since the last call."""
        text = self._file.read()
        if not text and self._is_rotated():
            self._file.close()
            self._file = self._path.open(errors="replace")
            text = self._file.read()
        *lines, self._rest = (self._rest + text).split("\n")
        return lines

    def _is_rotated(self) -> bool:
        try:
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        except FileNotFoundError:
            return False


def _prefixed(name: str, line: str) -> str:
    return f"{name} | {line}"


def _rotated(path: Path) -> Sequence[Path]:
    """The log and its backups, the oldest first: supervisord names them .1, .2, …"""
    backups = sorted(path.parent.glob(f"{path.name}.[0-9]*"), key=lambda file: int(file.suffix[1:]), reverse=True)
    return [*backups, *([path] if path.exists() else [])]


def _check(settings: Settings, component: str) -> None:
    known = names(settings)
    if not known:
        raise CsatError(f"no log of {component}", "name one of (none yet: csat up)")
    if component not in known:
        raise unknown_name("log of", component, known)
