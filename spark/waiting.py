"""What the batch in progress waits for: set by the thread that waits, read by the heartbeat's."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

KAFKA_SILENT = "Kafka, which does not respond"


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

    @contextmanager
    def later(self, reason: str) -> Iterator[Callable[[], None]]:
        """A function that begins the wait for `reason` at its first call. The wait ends with the block.

        Attempts may take long themselves, so the wait lasts from the first failure to the success.
        """
        with ExitStack() as wait:
            has_begun = False

            def begin() -> None:
                nonlocal has_begun
                if not has_begun:
                    wait.enter_context(self.on(reason))
                has_begun = True

            yield begin
