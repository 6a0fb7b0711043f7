"""Steps of the wall clock: after one, the ages of times written before it mean nothing."""

import math
import time
from collections.abc import Callable
from datetime import datetime

_STEP_SECONDS = 2.0  # more than two polls of a slewed clock differ by


class ClockSteps:
    """Notices from poll to poll that the wall clock was set, or that the machine was suspended."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._difference: float | None = None
        self._stepped_at = -math.inf

    def seconds_since_step(self, now: datetime) -> float:
        """Seconds since the last poll that found a step, this one included; infinite before the first."""
        elapsed = self._monotonic()
        before, self._difference = self._difference, now.timestamp() - elapsed
        if before is not None and abs(self._difference - before) > _STEP_SECONDS:
            self._stepped_at = elapsed
        return elapsed - self._stepped_at
