"""The heartbeat: the thread that watches the query reports its status, and reads the desired state.

It is not a separate timer, so a dead or hanging query cannot look alive.
"""

import logging
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from csat.control.state_files import StateFileError, StateFiles
from csat.control.verdict import SUPERSEDED_EXIT_CODE, Heartbeat, State
from spark.claim import MAX_SECONDS_WITHOUT_DESIRED_STATE, Claim, Order
from spark.waiting import Waiting

logger = logging.getLogger(__name__)

_MEMORY_LIMIT = 0.9


@dataclass(frozen=True)
class Reading:
    """The status of the query at one heartbeat; `progress` is Spark's last progress report."""

    progress: dict[str, Any] | None
    backlog: int
    rows_committed: int
    memory_share: float
    memory_bytes: int
    error: str
    held_until: datetime | None = None
    waiting: tuple[str, datetime] | None = None  # what the batch waits for, and since when


class Query(Protocol):
    """The running query, as the heartbeat writer needs it."""

    def wait(self, seconds: float) -> bool:
        """Wait up to this long; whether the query ended. Raises its error."""

    def read(self) -> Reading:
        """Its current status."""

    def stop(self) -> None:
        """Finish the batch, then stop."""


class HeartbeatWriter:
    """Watches one query until it ends or must end; the heartbeat is its only output.

    Its pauses are measured by `monotonic`: `clock`, whose times it writes, may be set back or forward at any moment.
    """

    def __init__(
        self,
        state_files: StateFiles,
        heartbeat: Heartbeat,
        *,
        heartbeat_seconds: float,
        trigger_seconds: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state_files = state_files
        self._claim = Claim(state_files, heartbeat.token, heartbeat.driver_id)
        self._heartbeat = heartbeat
        self._interval = heartbeat_seconds
        self._trigger_seconds = trigger_seconds
        self._clock = clock
        self._monotonic = monotonic
        self._read_at = monotonic()
        self._is_terminated = False

    def stop_at_sigterm(self) -> None:
        """Treat SIGTERM as a request to stop."""
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "_is_terminated", True))

    def report(self, state: State, error: str = "", failed_batch: str = "", alert: str = "") -> bool:
        """Write the heartbeat with a new state; False if the stream is now another driver's."""
        if self._claim.is_lost():
            return False
        change = {"state": state, "at": self._clock(), "error": error, "failed_batch": failed_batch}
        change |= {"alert": alert}
        self._heartbeat = self._heartbeat.model_copy(update=change)
        try:
            self._state_files.write_heartbeat(self._heartbeat)
        except OSError as error:  # the process's exit code shows it too
            logger.warning("Cannot write the heartbeat: %s", error)
        return True

    def watch(self, query: Query) -> int:
        """The exit code, once the query ended: 0, or 75 if another driver has the stream. Raises the query's error."""
        next_heartbeat = self._monotonic()
        while True:
            if self._monotonic() >= next_heartbeat:
                next_heartbeat = self._monotonic() + self._interval
                wanted = self._order()
                if wanted is Order.EXIT:
                    logger.warning("Another driver has the stream: exiting")
                    query.stop()
                    return SUPERSEDED_EXIT_CODE
                if wanted is Order.STOP:
                    break
                self._write(query.read())
            if query.wait(min(1.0, self._interval)):
                break
        query.stop()
        self._write(query.read())
        return 0 if self.report(State.STOPPED) else SUPERSEDED_EXIT_CODE

    def exit_code_before_start(self) -> int | None:
        """The exit code of a driver that must end before its query starts; None if it may start.

        Raises OSError or StateFileError after ten minutes without the state files.
        """
        wanted = self._order()
        if wanted is Order.RUN:
            return None
        return 0 if wanted is Order.STOP and self.report(State.STOPPED) else SUPERSEDED_EXIT_CODE

    def watch_start(self, step: "Future[Any]", waiting: Waiting) -> int | None:
        """The exit code of a driver that must end before this step of its start has; None once the step has ended.

        While the step waits, the heartbeat says for what. Raises the step's error.
        """
        while not wait([step], self._interval).done:
            if (code := self.exit_code_before_start()) is not None:
                return code
            if waiting.current:
                self._write_waiting(*waiting.current)
        step.result()
        return None

    def _write_waiting(self, reason: str, since: datetime) -> None:
        now = self._clock()
        change = {"at": now, "waiting_for": reason, "waiting_since": since, "waited_until": now}
        self._heartbeat = self._heartbeat.model_copy(update=change)
        self.report(self._heartbeat.state)

    def _order(self) -> Order:
        if self._is_terminated:
            return Order.STOP
        try:
            wanted = self._claim.order()
        except (OSError, StateFileError) as error:
            if self._monotonic() - self._read_at > MAX_SECONDS_WITHOUT_DESIRED_STATE:
                raise
            logger.warning("Cannot read the desired state: %s", error)
            return Order.RUN
        self._read_at = self._monotonic()
        return wanted

    def _write(self, reading: Reading) -> None:
        now = self._clock()
        self._heartbeat = with_reading(self._heartbeat, reading, now, self._trigger_seconds)
        try:
            # Checked again: a driver that was frozen meanwhile must not overwrite its successor's heartbeat.
            if not self._claim.is_lost():
                self._state_files.write_heartbeat(self._heartbeat)
        except OSError as error:  # a full disk: the next heartbeat retries, and Airflow notices a missing one
            logger.warning("Cannot write the heartbeat: %s", error)


def with_reading(heartbeat: Heartbeat, reading: Reading, now: datetime, trigger_seconds: float) -> Heartbeat:
    """The next heartbeat."""
    update: dict[str, Any] = {
        "state": State.RUNNING,
        "at": now,
        "backlog": reading.backlog,
        "rows_committed": reading.rows_committed,
        "memory_bytes": reading.memory_bytes,
        "memory_high_heartbeats": heartbeat.memory_high_heartbeats + 1 if reading.memory_share > _MEMORY_LIMIT else 0,
        "error": reading.error,
        "held_until": reading.held_until or heartbeat.held_until,
    }
    reason, since = reading.waiting or ("", None)
    update |= {"waiting_for": reason, "waiting_since": since, "waited_until": now if reason else heartbeat.waited_until}
    progress = reading.progress
    if progress is not None:
        update |= _progress(heartbeat, progress, trigger_seconds, update["held_until"])
    is_falling_behind = reading.backlog > 0 and update.get("processed_rate", 0.0) < update.get("input_rate", 0.0)
    update["lagging_since"] = (heartbeat.lagging_since or now) if is_falling_behind else None
    return heartbeat.model_copy(update=update)


def _progress(
    heartbeat: Heartbeat, progress: dict[str, Any], trigger_seconds: float, held_until: datetime | None
) -> dict[str, Any]:
    batch_seconds = float(progress.get("durationMs", {}).get("triggerExecution", 0)) / 1000
    started = datetime.fromisoformat(progress["timestamp"])
    is_new = progress["batchId"] != heartbeat.batch_id
    was_held = held_until is not None and held_until > started
    slow = heartbeat.slow_batches + 1 if batch_seconds > trigger_seconds and not was_held else 0
    return {
        "query_id": progress["id"],
        "batch_id": progress["batchId"],
        "progress_at": started + timedelta(seconds=batch_seconds),
        "batch_seconds": batch_seconds,
        "input_rate": float(progress.get("inputRowsPerSecond") or 0),
        "processed_rate": float(progress.get("processedRowsPerSecond") or 0),
        "slow_batches": slow if is_new else heartbeat.slow_batches,
    }
