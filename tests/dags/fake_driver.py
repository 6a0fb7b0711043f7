"""A driver of the stream that streams nothing: it beats, obeys control.json and leaves, as the real one does."""

import os
import sys
import time
import uuid
from datetime import UTC, datetime

from csat.documents import Documents
from csat.health import SUPERSEDED_EXIT_CODE, Health, State


def run(documents: Documents) -> int:
    """Beat five times a second until told otherwise; returns the exit code."""
    control = documents.control()
    if control is None:
        return 1
    token, started_at, rows = control.token, datetime.now(UTC), 0
    print(f"fake driver {os.getpid()} of {token}", flush=True)
    while True:
        control, now = documents.control(), datetime.now(UTC)
        if control is None or control.token != token:
            return SUPERSEDED_EXIT_CODE
        rows += 10
        beat = Health(
            token=token, driver_id=uuid.uuid4().hex, state=State.RUNNING, at=now, started_at=started_at,
            progress_at=now, batch_id=rows // 10, rows_committed=rows,
        )  # fmt: skip
        is_last = control.desired == "stop"
        documents.write_health(beat.model_copy(update={"state": State.STOPPED}) if is_last else beat)
        if is_last:
            return 0
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(run(Documents(sys.argv[1])))
