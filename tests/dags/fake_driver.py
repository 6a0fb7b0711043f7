"""A fake driver without a stream: it writes heartbeats, obeys desired_state.json and exits like the real one."""

import os
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from csat.control.driver_token import read_token, token_file
from csat.control.state_files import StateFiles
from csat.control.verdict import SUPERSEDED_EXIT_CODE, Heartbeat, State


def run(state_files: StateFiles, token: str) -> int:
    """Write a heartbeat five times a second until stopped; returns the exit code."""
    started_at, rows = datetime.now(UTC), 0
    print(f"fake driver {os.getpid()} of {token}", flush=True)
    while True:
        desired_state, now = state_files.desired_state(), datetime.now(UTC)
        if desired_state is None or desired_state.token != token:
            return SUPERSEDED_EXIT_CODE
        rows += 10
        heartbeat = Heartbeat(
            token=token, driver_id=uuid.uuid4().hex, state=State.RUNNING, at=now, started_at=started_at,
            progress_at=now, batch_id=rows // 10, rows_committed=rows,
        )  # fmt: skip
        is_last = desired_state.desired == "stop"
        state_files.write_heartbeat(heartbeat.model_copy(update={"state": State.STOPPED}) if is_last else heartbeat)
        if is_last:
            return 0
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(run(StateFiles(sys.argv[1]), read_token(token_file(Path(sys.argv[1])))))
