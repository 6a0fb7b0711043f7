"""A driver that kills itself and its JVM at one step of the sink: `crashing_driver.py STEP`.

Steps: before_stage, before_submit, after_submit, after_load.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from spark import stream_responses
from spark.load_jobs import BigQueryLoadJobs
from spark.sink import LandingSink

HOOKS: dict[str, tuple[type, str, bool]] = {
    "before_stage": (LandingSink, "_stage", False),
    "before_submit": (BigQueryLoadJobs, "submit", False),
    "after_submit": (BigQueryLoadJobs, "submit", True),
    "after_load": (BigQueryLoadJobs, "wait", True),
}


def crash_at(step: str) -> None:
    """Patch the step's method."""
    owner, name, is_after = HOOKS[step]
    method: Callable[..., Any] = getattr(owner, name)

    def crash(*args: Any, **options: Any) -> Any:
        if is_after:
            method(*args, **options)
        os.killpg(os.getpgid(0), signal.SIGKILL)

    setattr(owner, name, crash)


if __name__ == "__main__":
    crash_at(sys.argv.pop(1))
    stream_responses.main()
