"""The day's load jobs: BigQuery takes 1,500 a table in any 24 hours, failed ones too.

While plenty are left, a batch waits for nothing. When less than a tenth is left, the jobs are spaced so that the rest
lasts until older ones fall out of the 24 hours: the trigger is stretched, the batches grow, and no job is refused.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from csat.settings import LOAD_JOBS_A_DAY

if TYPE_CHECKING:
    from warehouse.client import Warehouse

logger = logging.getLogger(__name__)

DAY = timedelta(hours=24)
_LOW_SHARE = 0.1


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class HoldEndedError(Exception):
    """The driver is to leave while a job waits for its token; the batch is for the next driver."""


class LoadBudget:
    """A token bucket: a job takes a token, which comes back after 24 hours. `jobs_per_day` 0 is without limit.

    `wait` returns true where it was ended before its seconds were over: by `end_hold`, unless given.
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
        """Take a token, once one may be taken. Raises HoldEndedError where the wait is ended before."""
        if not self._jobs_per_day:
            return
        now = self._clock()
        due = self._due(now)
        if due > now:
            wait = (due - now).total_seconds()
            logger.warning("%d load jobs are left of the day's %d: waiting %.0f s", self.left, self._jobs_per_day, wait)
            self.held_until = due
            if self._wait(wait):
                raise HoldEndedError("the driver leaves: its batch waited for one of the day's load jobs")
            self.held_until = None
        self._submitted_at.append(self._clock())

    def end_hold(self) -> None:
        """Let no job wait any more: the driver leaves."""
        self._is_ended.set()

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


def load_budget(warehouse: "Warehouse", clock: Callable[[], datetime] = utc_now) -> LoadBudget:
    """The budget of the landing table, less the jobs of the last 24 hours; the emulator has no limit."""
    from warehouse.client import WarehouseError
    from warehouse.load_job_times import load_job_times

    if warehouse.settings.is_local:
        return LoadBudget(0, clock=clock)
    try:
        submitted_at = load_job_times(warehouse, clock() - DAY)
    except WarehouseError as error:  # the stream must run without the right to see jobs: BigQuery itself keeps count
        logger.warning("The load jobs of the last 24 hours are not known and count as none: %s", error)
        submitted_at = []
    return LoadBudget(LOAD_JOBS_A_DAY, submitted_at, clock)
