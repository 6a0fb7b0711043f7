"""One stream run, from the start of its driver to the verdict that ends it."""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from csat.airflow.backends.base import BackendError, Process
from csat.airflow.clock_steps import ClockSteps
from csat.airflow.decide import Plan, RunStatus, conclude, next_desired_state, stopped_status, was_started
from csat.airflow.stream import Stream
from csat.control.state_files import StateFilesUnreachableError
from csat.control.verdict import MAX_BACK_OFF_SECONDS, RECYCLING, DesiredState, Verdict

logger = logging.getLogger(__name__)

_TERM_SECONDS = 5
# Two stream runs in one triggerer (one stopping, the next starting) must not interleave a read and a write
_CONTROL_LOCK = threading.Lock()


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


class StreamRun:
    """Carries out a plan. Every step is decided from the state files, so a restarted trigger resumes where it was.

    Its own pauses are measured by `monotonic`: `now` may be set back or forward at any moment.
    """

    def __init__(
        self,
        plan: Plan,
        stream: Stream,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._stream = stream
        self._now = now
        self._sleep = sleep
        self._monotonic = monotonic
        self._clock_steps = ClockSteps(monotonic)
        self._stop_seen_at: float | None = None
        self._killed = threading.Event()
        self._logged: tuple[Verdict, float] | None = None

    async def end(self) -> RunStatus:
        """Start the driver when it is due, or keep watching it; returns how the run ended."""
        while True:
            status = await asyncio.to_thread(self._check)
            if status is not None:
                self._log(status)
                if status.has_ended:
                    return status
            await self._sleep(self._stream.pace.poll)

    async def stop(self, reason: str) -> None:
        """Stop the driver, by request first; does nothing to the driver of another run.

        A request reaches no driver while the state files cannot be accessed: its process is ended after the grace.
        """
        self._killed.set()
        deadline = self._monotonic() + self._stream.pace.kill_grace
        is_running: bool | None = None
        # Requested at each poll: the start of another triggerer with the same plan may overwrite the first request
        while self._monotonic() < deadline:
            is_running = await asyncio.to_thread(self._runs_after_request, reason)
            if is_running is False:
                return
            await self._sleep(max(0, min(self._stream.pace.poll, deadline - self._monotonic())))
        await asyncio.to_thread(self._end_process, is_running is not None)

    def _runs_after_request(self, reason: str) -> bool | None:
        """Whether the driver still runs after a request to stop; None while the state files are unreachable."""
        try:
            return self._request_stop(reason) and self._is_alive()
        except StateFilesUnreachableError as error:
            self._stream.warn(error)
            return None

    def _end_process(self, is_own: bool) -> None:
        """End the process that is this run's by the state files, or by its own token. Raises BackendError."""
        process = None if is_own else self._stream.process()
        if is_own or (process is not None and process.token == self._plan.token):
            self._stream.backend.stop(_TERM_SECONDS)

    def _check(self) -> RunStatus | None:
        """The status after one step; None while the state files are unreachable: unknown state changes nothing."""
        try:
            return self._step()
        except StateFilesUnreachableError as error:
            self._stream.warn(error)
            return None

    def _step(self) -> RunStatus:
        desired_state = self._stream.desired_state()
        if desired_state is not None and desired_state.token == self._plan.token:
            return self._watch(desired_state)
        wait = (self._plan.at - self._now()).total_seconds()
        if self._is_replaceable(desired_state) and 0 < wait <= MAX_BACK_OFF_SECONDS:  # more: the clock was set back
            return RunStatus(Verdict.STARTING, f"back-off, a new start in {wait:.0f} s", False)
        return self._start()

    def _start(self) -> RunStatus:
        with _CONTROL_LOCK:
            desired_state = self._stream.desired_state()
            if desired_state is not None and desired_state.token == self._plan.token:
                return RunStatus(Verdict.STARTING, "another triggerer is starting the process", False)
            if not self._is_replaceable(desired_state):
                return RunStatus(Verdict.SUPERSEDED, "desired_state.json names another driver", True)
            if self._killed.is_set():
                return RunStatus(Verdict.STOPPED, "stop requested before the start", True)
            # Before the start, so that a surviving driver of the last run sees the new token and exits
            self._stream.state_files.write_desired_state(
                next_desired_state(desired_state, self._stream.heartbeat(), self._plan.token, self._now())
            )
        return self._start_process()

    def _start_process(self) -> RunStatus:
        """Start the process, unless it was started, or another triggerer with the same plan is starting it."""
        try:
            self._stream.backend.start(self._plan.token)
        except BackendError as error:
            return RunStatus(Verdict.NEVER_STARTED, str(error), True)
        return RunStatus(Verdict.STARTING, f"process started, token {self._plan.token}", False)

    def _watch(self, desired_state: DesiredState) -> RunStatus:
        heartbeat, process, now = self._stream.heartbeat(), self._stream.process(), self._now()
        status = self._unless_clock_stepped(
            conclude(desired_state, heartbeat, process, now, self._stream.policy), process, now
        )
        if status.has_ended:
            return status
        if not was_started(desired_state, heartbeat, process):  # by a triggerer that ended, or that is at it
            return self._start_process()
        if desired_state.desired == "stop":
            return self._end_overdue(desired_state) or status
        if status.verdict in RECYCLING:
            self._request_stop(f"{status.verdict}: {status.detail}")
        return status

    def _unless_clock_stepped(self, status: RunStatus, process: Process | None, now: datetime) -> RunStatus:
        """The status; no end that only ages of times show, until the driver had time to write new ones."""
        seconds = self._clock_steps.seconds_since_step(now)
        policy = self._stream.policy
        limits = {Verdict.DEAD_OR_FROZEN: policy.stale, Verdict.STALLED: policy.stalled}
        limit = (limits | {Verdict.NEVER_STARTED: policy.startup}).get(status.verdict, 0)
        if seconds > limit or (process is not None and not process.is_alive):
            return status
        detail = f"the clock was set, or the machine was suspended, {seconds:.0f} s ago; {status.detail}"
        return replace(status, detail=detail, has_ended=False)

    def _end_overdue(self, desired_state: DesiredState) -> RunStatus | None:
        self._stop_seen_at = self._monotonic() if self._stop_seen_at is None else self._stop_seen_at
        if self._monotonic() - self._stop_seen_at <= self._stream.pace.grace:
            return None
        try:
            self._stream.backend.stop(_TERM_SECONDS)
        except BackendError as error:
            logger.warning("%s", error)  # the next start stops it, or reports why it cannot
        return stopped_status(desired_state)

    def _request_stop(self, reason: str) -> bool:
        with _CONTROL_LOCK:
            desired_state = self._stream.desired_state()
            if desired_state is None or desired_state.token != self._plan.token:
                return False
            if desired_state.desired == "run":
                change = {"desired": "stop", "reason": reason, "at": self._now()}
                self._stream.state_files.write_desired_state(desired_state.model_copy(update=change))
            return True

    def _is_replaceable(self, desired_state: DesiredState | None) -> bool:
        return desired_state is None or desired_state.token == self._plan.replaces

    def _is_alive(self) -> bool:
        process = self._stream.process()
        return process is not None and process.is_alive

    def _log(self, status: RunStatus) -> None:
        now = self._monotonic()
        is_same = self._logged is not None and self._logged[0] is status.verdict
        if self._logged and is_same and now - self._logged[1] < self._stream.pace.log_interval:
            return
        self._logged = (status.verdict, now)
        logger.log(logging.INFO if status.verdict in _GOOD else logging.WARNING, "%s", status)


_GOOD = {Verdict.STARTING, Verdict.HEALTHY, Verdict.IDLE, Verdict.STOPPED, Verdict.RECYCLE}
