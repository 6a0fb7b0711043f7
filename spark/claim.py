"""Which driver has the stream: the one whose token the desired state names and whose id the heartbeat names."""

import logging
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import TypeVar

from csat.control.state_files import StateFileError, StateFiles, StateFilesUnreachableError
from csat.control.verdict import DesiredState, Heartbeat
from spark.waiting import Waiting

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

MAX_SECONDS_WITHOUT_DESIRED_STATE = 600


def patiently(
    operation: Callable[[], Result],
    waiting: Waiting | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """The result of an operation on the state files, retried for ten minutes while they cannot be accessed.

    Raises OSError or StateFileError after that.
    """
    deadline = monotonic() + MAX_SECONDS_WITHOUT_DESIRED_STATE
    with (waiting or Waiting()).later("the state files, which cannot be accessed") as begin_wait:
        while True:
            try:
                return operation()
            except (OSError, StateFileError) as error:
                if monotonic() > deadline:
                    raise
                logger.warning("Cannot access the state files: %s", error)
            begin_wait()
            sleep(1)


class Order(Enum):
    """What the state files mean for this driver."""

    RUN = "run"
    STOP = "stop"
    EXIT = "exit"


def take_over(state_files: StateFiles, driver_id: str, now: datetime) -> str:
    """A new token, written into the desired state: what a driver does that was started without one.

    The driver that had the stream exits at its next heartbeat, or before its next load job.
    """
    desired_state = patiently(lambda: valid(state_files.desired_state))
    token = uuid.uuid4().hex
    starts = (*(desired_state.started_at if desired_state else ()), now)
    state_files.write_desired_state(
        DesiredState(
            token=token, desired="run", reason=f"claimed by driver {driver_id}", at=now, started_at=starts[-10:]
        )
    )
    logger.warning("Claimed the stream with the new token %s", token)
    return token


def valid(read: Callable[[], Result | None]) -> Result | None:
    """What is read, or None where the file is not valid: it will be replaced. Raises OSError."""
    try:
        return read()
    except StateFilesUnreachableError:
        raise
    except StateFileError as error:
        logger.warning("%s", error)
        return None


def order(desired_state: DesiredState | None, heartbeat: Heartbeat | None, token: str, driver_id: str) -> Order:
    """What the state files mean for the driver with this token and id.

    Of two drivers with one token, the one that the heartbeat names continues. Both write a heartbeat before they do
    anything else, and each reads it again before its next write: the later writer is the one that both find.
    """
    if desired_state is None or desired_state.token != token:
        return Order.EXIT
    if heartbeat is not None and heartbeat.token == token and heartbeat.driver_id != driver_id:
        return Order.EXIT
    return Order.STOP if desired_state.desired == "stop" else Order.RUN


class Claim:
    """One driver's claim to the stream."""

    def __init__(self, state_files: StateFiles, token: str, driver_id: str) -> None:
        self._state_files = state_files
        self._token = token
        self._driver_id = driver_id

    def order(self) -> Order:
        """What the state files mean for this driver. Raises OSError or StateFileError if they cannot be read."""
        desired_state = self._state_files.desired_state()
        return order(desired_state, valid(self._state_files.heartbeat), self._token, self._driver_id)

    def is_lost(self) -> bool:
        """Whether another driver has the stream; an unreadable file names no other driver."""
        try:
            return self.order() is Order.EXIT
        except (OSError, StateFileError):
            return False
