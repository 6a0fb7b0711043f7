"""One life of the stream, from the start of its driver to the verdict that ends it."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from csat.documents import DocumentsUnreachableError
from csat.health import RECYCLING, Control, Verdict
from guard.backends import BackendError
from guard.decide import Look, Plan, conclude, starting, stopped
from guard.stream import Stream

logger = logging.getLogger(__name__)

_TERM_SECONDS = 5
# Two lives in one triggerer (the old one told to stop, the next one starting) must not mix a read and a write
_CONTROL_LOCK = threading.Lock()


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


class Life:
    """Carries out a plan. Every step is decided from the documents, so a second run goes on where the first was."""

    def __init__(
        self,
        plan: Plan,
        stream: Stream,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._plan = plan
        self._stream = stream
        self._now = now
        self._sleep = sleep
        self._killed = threading.Event()
        self._said: tuple[Verdict, datetime] | None = None

    async def end(self) -> Look:
        """Start the driver when it is due, or go on watching it; returns how its life ended."""
        while True:
            look = await asyncio.to_thread(self._look)
            if look is not None:
                self._say(look)
                if look.is_over:
                    return look
            await self._sleep(self._stream.pace.poll)

    async def stop(self, reason: str) -> None:
        """Have the driver leave, by request first; does nothing to the driver of another life."""
        self._killed.set()
        if not await asyncio.to_thread(self._ask_to_stop, reason):
            return
        deadline = self._now() + timedelta(seconds=self._stream.pace.kill_grace)
        while await asyncio.to_thread(self._is_there):
            if self._now() >= deadline:
                await asyncio.to_thread(self._stream.backend.stop, _TERM_SECONDS)
                return
            await self._sleep(self._stream.pace.poll)

    def _look(self) -> Look | None:
        """What the step found; None while the documents cannot be asked: nothing is known, so nothing is changed."""
        try:
            return self._step()
        except DocumentsUnreachableError as error:
            self._stream.warn(error)
            return None

    def _step(self) -> Look:
        control = self._stream.control()
        if control is not None and control.token == self._plan.token:
            return self._watch(control)
        wait = (self._plan.at - self._now()).total_seconds()
        if self._is_replaceable(control) and wait > 0:
            return Look(Verdict.STARTING, f"back-off, a new start in {wait:.0f} s", False)
        return self._start()

    def _start(self) -> Look:
        with _CONTROL_LOCK:
            control = self._stream.control()
            if not self._is_replaceable(control):
                return Look(Verdict.SUPERSEDED, "control.json names another driver", True)
            if self._killed.is_set():
                return Look(Verdict.STOPPED, "told to stop before the start", True)
            # Before the start, so that a survivor of the life before sees the new token and leaves
            self._stream.documents.write_control(
                starting(control, self._stream.health(), self._plan.token, self._now())
            )
        try:
            self._stream.backend.start(self._plan.token)
        except BackendError as error:
            return Look(Verdict.NEVER_STARTED, str(error), True)
        return Look(Verdict.STARTING, f"process started, token {self._plan.token}", False)

    def _watch(self, control: Control) -> Look:
        health, process, now = self._stream.health(), self._stream.process(), self._now()
        look = conclude(control, health, process, now, self._stream.policy)
        if look.is_over:
            return look
        if control.desired == "stop":
            return self._end_overdue(control, now) or look
        if look.verdict in RECYCLING:
            self._ask_to_stop(f"{look.verdict}: {look.detail}")
        return look

    def _end_overdue(self, control: Control, now: datetime) -> Look | None:
        if now - control.at <= timedelta(seconds=self._stream.pace.grace):
            return None
        try:
            self._stream.backend.stop(_TERM_SECONDS)
        except BackendError as error:
            logger.warning("%s", error)  # the next start stops it, or says why not
        return stopped(control)

    def _ask_to_stop(self, reason: str) -> bool:
        with _CONTROL_LOCK:
            control = self._stream.control()
            if control is None or control.token != self._plan.token:
                return False
            if control.desired == "run":
                change = {"desired": "stop", "reason": reason, "at": self._now()}
                self._stream.documents.write_control(control.model_copy(update=change))
            return True

    def _is_replaceable(self, control: Control | None) -> bool:
        return control is None or control.token == self._plan.replaces

    def _is_there(self) -> bool:
        control, process = self._stream.control(), self._stream.process()
        is_ours = control is not None and control.token == self._plan.token
        return is_ours and process is not None and process.is_alive

    def _say(self, look: Look) -> None:
        now = self._now()
        is_same = self._said is not None and self._said[0] is look.verdict
        if self._said and is_same and now - self._said[1] < timedelta(seconds=self._stream.pace.say):
            return
        self._said = (look.verdict, now)
        logger.log(logging.INFO if look.verdict in _GOOD else logging.WARNING, "%s", look)


_GOOD = {Verdict.STARTING, Verdict.HEALTHY, Verdict.IDLE, Verdict.STOPPED, Verdict.RECYCLE}
