"""The faults: what breaks, and from when recovery is possible."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

from csat.local.programs import AIRFLOW, BIGQUERY, KAFKA, STREAM
from tests.chaos import saboteur
from tests.chaos.target import Target

AWAY_SECONDS = 60
_FULL_SECONDS = 20
_STEP_SECONDS = 60


@dataclass(frozen=True)
class Fault:
    """One way to break the stack. `strike` returns when recovery can begin, which is when its clock starts."""

    name: str
    strike: Callable[[Target], None]
    hits: Literal["stream", "airflow"] = "stream"


def _kill(target: Target, program: str) -> None:
    target.signal(program, signal.SIGKILL)


def _kill_all(target: Target, *names: str) -> None:
    for name in names:
        _kill(target, name)


def _freeze(target: Target, program: str) -> None:
    target.signal(program, signal.SIGSTOP)


def _pause(target: Target, program: str) -> None:
    pid = target.signal(program, signal.SIGSTOP)
    time.sleep(AWAY_SECONDS)
    os.killpg(os.getpgid(pid), signal.SIGCONT)


def _stop_for_a_minute(target: Target, program: str) -> None:
    target.supervisor.stop(program)
    time.sleep(AWAY_SECONDS)
    target.supervisor.start(program)


def _kill_at(target: Target, step: str) -> None:
    order = saboteur.order_file(target.settings)
    order.write_text(step)
    deadline = time.monotonic() + _STEP_SECONDS
    while order.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no driver came to {step}")
        time.sleep(0.05)


def _lose_commit(target: Target) -> None:
    _kill(target, STREAM)
    newest = max((file for file in target.commits.iterdir() if file.name.isdigit()), key=lambda file: int(file.name))
    newest.unlink()
    newest.with_name(f".{newest.name}.crc").unlink(missing_ok=True)


def _fill_disk(target: Target) -> None:
    filler = target.settings.staging_root / "filler"
    with filler.open("wb") as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 65_536)
            file.flush()
    time.sleep(_FULL_SECONDS)
    filler.unlink()


def _shift_clock(target: Target, hours: int) -> None:
    """The driver freezes, and its last heartbeat has a shifted time."""
    _freeze(target, STREAM)
    heartbeat = target.state_files.heartbeat()
    if heartbeat is not None:
        then = datetime.now(UTC) + timedelta(hours=hours)
        target.state_files.write_heartbeat(heartbeat.model_copy(update={"at": then, "progress_at": then}))


FAULTS = (
    Fault("driver killed", partial(_kill, program=STREAM)),
    Fault("driver frozen", partial(_freeze, program=STREAM)),
    *[Fault(f"driver killed {step.replace('_', ' ')}", partial(_kill_at, step=step)) for step in saboteur.STEPS],
    Fault("driver killed, last commit file deleted", _lose_commit),
    Fault("driver frozen, its clock an hour ahead", partial(_shift_clock, hours=1)),
    Fault("driver frozen, its clock an hour behind", partial(_shift_clock, hours=-1)),
    Fault("broker killed", partial(_kill, program=KAFKA)),
    Fault("broker stopped for 60 s", partial(_stop_for_a_minute, program=KAFKA)),
    Fault("broker frozen for 60 s", partial(_pause, program=KAFKA)),
    Fault("BigQuery killed", partial(_kill, program=BIGQUERY)),
    Fault("BigQuery stopped for 60 s", partial(_stop_for_a_minute, program=BIGQUERY)),
    Fault("BigQuery frozen for 60 s", partial(_pause, program=BIGQUERY)),
    Fault("staging disk full for 20 s", _fill_disk),
    *[Fault(f"{name} killed", partial(_kill, program=name), hits="airflow") for name in AIRFLOW],
    Fault("all of Airflow killed", lambda target: _kill_all(target, *AIRFLOW), hits="airflow"),
)
