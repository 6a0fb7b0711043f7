"""A stream driver that kills itself and its JVM at a step of the sink if a file in its state folder names it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from csat.contract.settings import Settings, get_settings
from spark import stream_responses
from spark.load_jobs import BigQueryLoadJobs
from spark.sink import LandingSink

# Step: whose method, which one, and whether the kill comes after it
STEPS: dict[str, tuple[type, str, bool]] = {
    "before_stage": (LandingSink, "_stage", False),
    "after_stage": (LandingSink, "_stage", True),
    "before_submit": (BigQueryLoadJobs, "submit", False),
    "after_submit": (BigQueryLoadJobs, "submit", True),
    "after_load": (BigQueryLoadJobs, "wait", True),
    "after_write": (LandingSink, "write", True),
}


def order_file(settings: Settings) -> Path:
    """The file that names the step; it is deleted once obeyed."""
    return settings.state / "kill-at"


def sabotage(step: str, order: Path) -> None:
    """Make the step check for its order."""
    owner, name, is_after = STEPS[step]
    method: Callable[..., Any] = getattr(owner, name)

    def look_and_do(*arguments: Any, **options: Any) -> Any:
        is_ordered = order.exists() and order.read_text() == step
        result = None if is_ordered and not is_after else method(*arguments, **options)
        if is_ordered:
            order.unlink()
            os.killpg(os.getpgid(0), signal.SIGKILL)
        return result

    setattr(owner, name, look_and_do)


if __name__ == "__main__":
    for each in STEPS:
        sabotage(each, order_file(get_settings()))
    stream_responses.main()
