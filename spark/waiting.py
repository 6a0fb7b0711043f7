"""What the batch in progress waits for: set by the thread that waits, read by the heartbeat's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


class Waiting:
    """The reason of a wait and its start; empty while the batch does not wait."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self.current: tuple[str, datetime] | None = None

    @contextmanager
    def on(self, reason: str) -> Iterator[None]:
        """Wait for `reason` inside; an inner wait leaves the outer one's start."""
        before = self.current
        self.current = (reason, before[1] if before else self._clock())
        try:
            yield
        finally:
            self.current = before
