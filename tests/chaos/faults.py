"""The faults: what breaks, and from when recovery is possible."""

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

from csat.local.programs import AIRFLOW, BIGQUERY, KAFKA, STREAM
from tests.chaos import outages, saboteur, topic_faults
from tests.chaos.target import Target

_FULL_SECONDS = 20
_STEP_SECONDS = 60


@dataclass(frozen=True)
class Fault:
    """One way to break the stack. `strike` returns when recovery can begin, which is when its clock starts.

    A strike also takes the decision that a person has to take, and raises AssertionError where what must happen before
    does not. `expected` is what the platform does about it, as docs/reliability.md says. A rare one takes minutes.
    """

    name: str
    strike: Callable[[Target], None]
    expected: str
    hits: Literal["stream", "airflow"] = "stream"
    keeps_driver: bool = False
    is_rare: bool = False


def _kill(target: Target, program: str) -> None:
    target.signal(program, signal.SIGKILL)


def _kill_all(target: Target, *names: str) -> None:
    for name in names:
        _kill(target, name)


def _freeze(target: Target, program: str) -> None:
    target.signal(program, signal.SIGSTOP)


def _pause(target: Target, program: str) -> None:
    with target.frozen(program):
        time.sleep(outages.AWAY_SECONDS)


def _stop_for_a_minute(target: Target, program: str) -> None:
    target.supervisor.stop(program)
    time.sleep(outages.AWAY_SECONDS)
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


_RESTART = "Airflow starts the next driver, which resumes at the batch in progress"
_WAIT = "the batch waits and retries; supervisord restarts what ended"
_ADOPT = "the stream keeps running; supervisord restarts Airflow, which adopts the driver"

FAULTS = (
    Fault("driver killed", partial(_kill, program=STREAM), _RESTART),
    Fault("driver frozen", partial(_freeze, program=STREAM), _RESTART),
    *[
        Fault(f"driver killed {step.replace('_', ' ')}", partial(_kill_at, step=step), _RESTART)
        for step in saboteur.STEPS
    ],
    Fault("driver killed, last commit file deleted", _lose_commit, "the next driver finds the batch's load job"),
    Fault("driver frozen, its clock an hour ahead", partial(_shift_clock, hours=1), _RESTART),
    Fault("driver frozen, its clock an hour behind", partial(_shift_clock, hours=-1), _RESTART),
    Fault("Python workers killed in a batch", outages.kill_workers, _RESTART),
    Fault("broker killed", partial(_kill, program=KAFKA), _WAIT),
    Fault("broker stopped for 60 s", partial(_stop_for_a_minute, program=KAFKA), _WAIT),
    Fault("broker frozen for 60 s", partial(_pause, program=KAFKA), _WAIT),
    Fault("BigQuery killed", partial(_kill, program=BIGQUERY), _WAIT),
    Fault("BigQuery stopped for 60 s", partial(_stop_for_a_minute, program=BIGQUERY), _WAIT),
    Fault("BigQuery frozen for 60 s", partial(_pause, program=BIGQUERY), _WAIT),
    Fault(
        "BigQuery refuses for 3 minutes",
        outages.refuse_bigquery,
        "the verdict is *waiting*, and the same driver continues",
        keeps_driver=True,
        is_rare=True,
    ),
    Fault(
        "BigQuery frozen for 60 s while it loads 200,000 rows",
        outages.freeze_large_load,
        "the load ends after the freeze, or its job is found; the batch lands once",
        is_rare=True,
    ),
    Fault("staging disk full for 20 s", _fill_disk, "drivers fail and are restarted until there is space"),
    Fault(
        "state files unreadable for 60 s",
        outages.hide_state_files,
        "the guard changes nothing, the batch waits, and the same driver continues",
        keeps_driver=True,
    ),
    Fault(
        "topic deleted and created again",
        topic_faults.recreate_topic,
        "the stream stops with the alert `topic_changed`; after `csat stream adopt-topic` it reads the new topic",
    ),
    Fault(
        "records expired while the stream was stopped",
        topic_faults.expire_records,
        "the stream stops with the alert `records_expired`; accepting the loss names the gap, then it continues",
        is_rare=True,
    ),
    Fault(
        "transactions aborted",
        topic_faults.abort_transactions,
        "only records of committed transactions land; markers are not lost",
        keeps_driver=True,
    ),
    Fault(
        "producer's clock a day ahead",
        topic_faults.send_from_tomorrow,
        "its responses are rejected as *answered in the future*; the marts follow the others",
        keeps_driver=True,
    ),
    *[
        Fault(f"{name} killed", partial(_kill, program=name), _ADOPT, hits="airflow", keeps_driver=True)
        for name in AIRFLOW
    ],
    Fault(
        "all of Airflow killed",
        lambda target: _kill_all(target, *AIRFLOW),
        _ADOPT,
        hits="airflow",
        keeps_driver=True,
    ),
)


def expected_table() -> str:
    """The faults and what the platform does about each, as Markdown."""
    names: dict[str, list[str]] = {}
    for fault in FAULTS:
        names.setdefault(fault.expected, []).append(fault.name)
    lines = [f"| {'; '.join(same)} | {expected} |" for expected, same in names.items()]
    return "\n".join(["| fault | what the platform does |", "| --- | --- |", *lines])
