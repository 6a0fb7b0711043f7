"""The beat: the thread that watches the query says how it is, and reads what is wanted of it.

It is not a timer of its own, so a query that died or hangs cannot look alive.
"""

import logging
import signal
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Protocol

from csat.documents import DocumentError, Documents
from csat.health import SUPERSEDED_EXIT_CODE, Control, Health, State

logger = logging.getLogger(__name__)

LONGEST_WITHOUT_CONTROL = timedelta(minutes=10)
_MEMORY_LIMIT = 0.9


class Order(Enum):
    """What the control document asks of this driver."""

    RUN = "run"
    STOP = "stop"
    LEAVE = "leave"


def claim(documents: Documents, driver_id: str, now: datetime) -> str:
    """The token this driver runs under.

    A driver that Airflow started finds its token unused. One started by hand beside it, or in place of one that
    died or froze, takes the stream with a new token: the other leaves at its next beat.
    """
    control, health = documents.control(), documents.health()
    is_unused = control is not None and (health is None or health.token != control.token)
    if control is not None and control.desired == "run" and is_unused:
        return control.token
    token = uuid.uuid4().hex
    starts = (*(control.started_at if control else ()), now)
    documents.write_control(
        Control(token=token, desired="run", reason=f"claimed by driver {driver_id}", at=now, started_at=starts[-10:])
    )
    logger.warning("Claimed the stream with a new token: another driver had it, or none was asked for")
    return token


def order(control: Control | None, token: str) -> Order:
    """What `control` means for the driver with this token."""
    if control is None or control.token != token:
        return Order.LEAVE
    return Order.STOP if control.desired == "stop" else Order.RUN


@dataclass(frozen=True)
class Reading:
    """What the query shows at one beat; `progress` is its last one, in Spark's own words."""

    progress: dict[str, Any] | None
    backlog: int
    rows_committed: int
    memory_share: float
    memory_bytes: int
    error: str
    held_until: datetime | None = None


class Query(Protocol):
    """The running query, as the beat needs it."""

    def wait(self, seconds: float) -> bool:
        """Whether the query ended within this time. Raises its error."""

    def read(self) -> Reading:
        """How it is now."""

    def stop(self) -> None:
        """Finish the batch, then stop."""


class Beat:
    """Watches one query until it ends or must end; the health document is its only output."""

    def __init__(
        self,
        documents: Documents,
        health: Health,
        *,
        beat_seconds: float,
        trigger_seconds: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._documents = documents
        self._health = health
        self._beat = timedelta(seconds=beat_seconds)
        self._trigger_seconds = trigger_seconds
        self._clock = clock
        self._control_at = clock()
        self._is_terminated = False

    def stop_at_sigterm(self) -> None:
        """Take SIGTERM for an order to stop."""
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "_is_terminated", True))

    def say(self, state: State, error: str = "", failed_batch: str = "") -> bool:
        """Write the health document with a new state; False where it is another driver's document now."""
        if not self._is_ours():
            return False
        change = {"state": state, "at": self._clock(), "error": error, "failed_batch": failed_batch}
        self._health = self._health.model_copy(update=change)
        self._documents.write_health(self._health)
        return True

    def watch(self, query: Query) -> int:
        """The exit code, once the query ended: 0, or 75 where another driver has the stream. Raises its error."""
        next_beat = self._clock()
        while True:
            if self._clock() >= next_beat:
                next_beat = self._clock() + self._beat
                wanted = self._order()
                if wanted is Order.LEAVE:
                    logger.warning("Another driver has the stream: leaving")
                    query.stop()
                    return SUPERSEDED_EXIT_CODE
                if wanted is Order.STOP:
                    break
                self._write(query.read())
            if query.wait(min(1.0, self._beat.total_seconds())):
                break
        query.stop()
        self._write(query.read())
        return 0 if self.say(State.STOPPED) else SUPERSEDED_EXIT_CODE

    def _order(self) -> Order:
        if self._is_terminated:
            return Order.STOP
        try:
            control = self._documents.control()
        except (OSError, DocumentError) as error:
            if self._clock() - self._control_at > LONGEST_WITHOUT_CONTROL:
                raise
            logger.warning("Cannot read the control document: %s", error)
            return Order.RUN
        self._control_at = self._clock()
        return order(control, self._health.token)

    def _is_ours(self) -> bool:
        try:
            return order(self._documents.control(), self._health.token) is not Order.LEAVE
        except (OSError, DocumentError):  # unreadable names nobody else
            return True

    def _write(self, reading: Reading) -> None:
        now = self._clock()
        self._health = with_reading(self._health, reading, now, self._trigger_seconds)
        try:
            # Asked again: a driver that was frozen since the last look must not overwrite its successor's document.
            if self._is_ours():
                self._documents.write_health(self._health)
        except OSError as error:  # a full disk: the next beat tries again, and silence tells Airflow
            logger.warning("Cannot write the health document: %s", error)


def with_reading(health: Health, reading: Reading, now: datetime, trigger_seconds: float) -> Health:
    """The health document after one more beat."""
    update: dict[str, Any] = {
        "state": State.RUNNING,
        "at": now,
        "backlog": reading.backlog,
        "rows_committed": reading.rows_committed,
        "memory_bytes": reading.memory_bytes,
        "memory_high_beats": health.memory_high_beats + 1 if reading.memory_share > _MEMORY_LIMIT else 0,
        "error": reading.error,
        "held_until": reading.held_until or health.held_until,
    }
    progress = reading.progress
    if progress is not None:
        update |= _progress(health, progress, trigger_seconds, update["held_until"])
    is_behind = reading.backlog > 0 and update.get("processed_rate", 0.0) < update.get("input_rate", 0.0)
    update["lagging_since"] = (health.lagging_since or now) if is_behind else None
    return health.model_copy(update=update)


def _progress(
    health: Health, progress: dict[str, Any], trigger_seconds: float, held_until: datetime | None
) -> dict[str, Any]:
    batch_seconds = float(progress.get("durationMs", {}).get("triggerExecution", 0)) / 1000
    began = datetime.fromisoformat(progress["timestamp"])
    is_new = progress["batchId"] != health.batch_id
    was_held = held_until is not None and held_until > began
    slow = health.slow_batches + 1 if batch_seconds > trigger_seconds and not was_held else 0
    return {
        "query_id": progress["id"],
        "batch_id": progress["batchId"],
        "progress_at": began + timedelta(seconds=batch_seconds),
        "batch_seconds": batch_seconds,
        "input_rate": float(progress.get("inputRowsPerSecond") or 0),
        "processed_rate": float(progress.get("processedRowsPerSecond") or 0),
        "slow_batches": slow if is_new else health.slow_batches,
    }
