"""Ctrl-C with a graceful end of the current work."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Interrupt:
    """Whether a stop was requested."""

    is_requested: bool = False


@contextmanager
def noticed_interrupt() -> Iterator[Interrupt]:
    """Record Ctrl-C or SIGTERM in the yielded value; a second one ends the process as usual."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    def note(number: int, _: FrameType | None) -> None:
        interrupt.is_requested = True
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
