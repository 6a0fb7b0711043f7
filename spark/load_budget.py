"""The daily load job budget: BigQuery allows 1,500 per table in any 24 hours, including failed ones.

While enough are left, batches do not wait. When less than a tenth is left, jobs are spaced so that the rest lasts until
older ones drop out of the 24 hours: the trigger interval grows, batches grow, and no job is refused.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from csat.contract.errors import CsatError
from csat.contract.settings import LOAD_JOBS_A_DAY

if TYPE_CHECKING:
    from csat.bigquery.client import Warehouse

logger = logging.getLogger(__name__)

DAY = timedelta(hours=24)
_LOW_SHARE = 0.1


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class LoadBudget:
    """A token bucket: a job takes a token, which returns after 24 hours. `jobs_per_day` 0 means no limit.

    `wait` returns true if it was interrupted before its seconds were over; the default waits for `end_hold`.
    """

    def __init__(
        self,
        jobs_per_day: int,
        submitted_at: Iterable[datetime] = (),
        clock: Callable[[], datetime] = utc_now,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self._jobs_per_day = jobs_per_day
        self._submitted_at = deque(sorted(submitted_at))
        self._clock = clock
        self._is_ended = threading.Event()
        self._wait = wait or self._is_ended.wait
        self.held_until: datetime | None = None

    def take(self) -> None:
        """Wait for a token and take it. Raises CsatError if the wait is interrupted."""
        if not self._jobs_per_day:
            return
        now = self._clock()
        due = self._due(now)
        if due > now:
            wait = (due - now).total_seconds()
            logger.warning("%d load jobs are left of the day's %d: waiting %.0f s", self.left, self._jobs_per_day, wait)
            self.pause(wait)
        self._submitted_at.append(self._clock())

    def pause(self, seconds: float) -> None:
        """Hold the batch for so long, because no load job may start. Raises CsatError if the wait is interrupted."""
        self.held_until = self._clock() + timedelta(seconds=seconds)
        if self._wait(seconds):
            raise CsatError("the driver exits while its batch waits until BigQuery allows another load job")
        self.held_until = None

    def end_hold(self) -> None:
        """Interrupt all waits, because the driver exits."""
        self._is_ended.set()

    @property
    def left(self) -> int:
        """Tokens left now."""
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
        # With a tenth left at the average rate of the limit, and slower with every token taken
        spacing = DAY / self._jobs_per_day * (low / left)
        last = min(self._submitted_at[-1], now)  # the clock may have been set back
        return min(last + spacing, self._submitted_at[0] + DAY)


def load_budget(warehouse: "Warehouse", clock: Callable[[], datetime] = utc_now) -> LoadBudget:
    """The budget of the landing table minus the jobs of the last 24 hours; the emulator has no limit."""
    from csat.bigquery.client import WarehouseError
    from csat.bigquery.load_job_times import load_job_times

    if warehouse.settings.is_local:
        return LoadBudget(0, clock=clock)
    try:
        submitted_at = load_job_times(warehouse, clock() - DAY)
    except WarehouseError as error:  # the stream must run without permission to list jobs: BigQuery counts, too
        logger.warning("Cannot list the load jobs of the last 24 hours, assuming none: %s", error)
        submitted_at = []
    return LoadBudget(LOAD_JOBS_A_DAY, submitted_at, clock)
