"""The day's load jobs: BigQuery takes 1,500 a table in any 24 hours, failed ones too.

While plenty are left, a batch waits for nothing. When less than a tenth is left, the jobs are spaced so that the rest
lasts until older ones fall out of the 24 hours: the trigger is stretched, the batches grow, and no job is refused.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

logger = logging.getLogger(__name__)

DAY = timedelta(hours=24)
_LOW_SHARE = 0.1


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class LoadBudget:
    """A token bucket: a job takes a token, which comes back after 24 hours. `jobs_per_day` 0 is without limit."""

    def __init__(
        self,
        jobs_per_day: int,
        submitted_at: Iterable[datetime] = (),
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._jobs_per_day = jobs_per_day
        self._submitted_at = deque(sorted(submitted_at))
        self._clock = clock
        self._sleep = sleep
        self.held_until: datetime | None = None

    def take(self) -> None:
        """Take a token, once one may be taken."""
        if not self._jobs_per_day:
            return
        now = self._clock()
        due = self._due(now)
        if due > now:
            wait = (due - now).total_seconds()
            logger.warning("%d load jobs are left of the day's %d: waiting %.0f s", self.left, self._jobs_per_day, wait)
            self.held_until = due
            self._sleep(wait)
            self.held_until = None
        self._submitted_at.append(self._clock())

    @property
    def left(self) -> int:
        """Tokens that are left now."""
        now = self._clock()
        while self._submitted_at and self._submitted_at[0] <= now - DAY:
            self._submitted_at.popleft()
        return self._jobs_per_day - len(self._submitted_at)

    def _due(self, now: datetime) -> datetime:
        """When the next job may be submitted."""
        left, low = self.left, self._jobs_per_day * _LOW_SHARE
        if left >= low:
            return now
        if left <= 0:
            return self._submitted_at[-self._jobs_per_day] + DAY
        # At the pace of the limit itself with a tenth left, and slower with every token that goes
        spacing = DAY / self._jobs_per_day * (low / left)
        return min(self._submitted_at[-1] + spacing, self._submitted_at[0] + DAY)
