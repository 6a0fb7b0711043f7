"""Calls a function again until it succeeds or a deadline passes."""

import operator
import time
from collections.abc import Callable
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_result, wait_fixed

Result = TypeVar("Result")


def poll(
    call: Callable[[], Result],
    seconds: float,
    pause_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """The first true result of `call`, or its last one once `seconds` have passed; it is called at least once.

    Its errors are not caught.
    """
    polling = Retrying(
        retry=retry_if_result(operator.not_),
        wait=wait_fixed(pause_seconds),
        # The sum of the pauses for a fake sleep, which takes no time
        stop=lambda state: max(state.seconds_since_start or 0, state.idle_for) >= seconds,
        sleep=sleep,
        retry_error_callback=_last_result,
    )
    return polling(call)


def _last_result(state: RetryCallState) -> Any:
    assert state.outcome is not None
    return state.outcome.result()
