"""The two state files between Airflow and the stream, and the verdict made from them.

Airflow writes desired_state.json, the stream's driver writes heartbeat.json periodically. Nothing else is shared: no
process id, no consumer group. A token, new at every start, ties the two together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

from csat.contract.ages import age
from csat.contract.settings import Settings

SUPERSEDED_EXIT_CODE = 75  # EX_TEMPFAIL: another driver has the stream


class DesiredState(BaseModel):
    """What Airflow wants: one driver, the one with this token, running or stopped."""

    model_config = ConfigDict(frozen=True)

    token: str
    desired: Literal["run", "stop"]
    reason: str
    at: AwareDatetime
    started_at: tuple[AwareDatetime, ...] = ()  # recent starts, newest last
    attempts: int = 1  # consecutive starts, this one included, since a driver last ran stably: the back-off counts them
    failed_batch: str = ""  # the batch that the last drivers failed on in a row
    failed_count: int = 0


class State(StrEnum):
    """The driver's lifecycle state."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"


class Heartbeat(BaseModel):
    """What the driver reports about itself. Times are UTC; rates are rows per second."""

    model_config = ConfigDict(frozen=True)

    token: str
    driver_id: str
    state: State
    at: AwareDatetime
    started_at: AwareDatetime
    code_version: str = ""
    query_id: str = ""
    batch_id: int | None = None
    progress_at: AwareDatetime | None = None  # end of the last batch, or the start of the query
    input_rate: float = 0.0
    processed_rate: float = 0.0
    batch_seconds: float = 0.0
    backlog: int = 0
    rows_committed: int = 0  # by this driver
    lagging_since: AwareDatetime | None = None
    slow_batches: int = 0
    memory_high_heartbeats: int = 0
    memory_bytes: int = 0
    held_until: AwareDatetime | None = None  # until when its last batch waits, or waited, for a load job
    waiting_for: str = ""  # what the batch in progress waits for outside the stream, such as its load job
    waiting_since: AwareDatetime | None = None
    waited_until: AwareDatetime | None = None  # the last heartbeat that waited
    error: str = ""
    alert: str = ""  # the key of the alert that the failure has of its own, such as topic_changed
    failed_batch: str = ""  # the batch in progress when the query failed


class Verdict(StrEnum):
    """What the two state files mean."""

    STARTING = "starting"
    HEALTHY = "healthy"
    IDLE = "idle"
    WAITING = "waiting"
    LAGGING = "lagging"
    SLOW = "slow"
    NEVER_STARTED = "never_started"
    DEAD_OR_FROZEN = "dead_or_frozen"
    FAILED = "failed"
    POISON_BATCH = "poison_batch"
    STALLED = "stalled"
    MEMORY = "memory"
    RECYCLE = "recycle"
    STOPPED = "stopped"
    SUPERSEDED = "superseded"


RESTARTING = {
    *(Verdict.NEVER_STARTED, Verdict.DEAD_OR_FROZEN, Verdict.FAILED, Verdict.POISON_BATCH, Verdict.STALLED),
}
RECYCLING = {Verdict.MEMORY, Verdict.RECYCLE}  # graceful: the batch ends first
WARNING = {Verdict.WAITING, Verdict.LAGGING, Verdict.SLOW}  # a restart would make it worse
ENDING = RESTARTING | RECYCLING | {Verdict.STOPPED, Verdict.SUPERSEDED}


@dataclass(frozen=True)
class Policy:
    """Limits that a verdict is made with, in seconds unless the name says otherwise."""

    startup: float
    stale: float
    stalled: float
    lagging: float
    slow_batches: int
    memory_heartbeats: int
    max_age: float
    code_version: str = ""

    @classmethod
    def of(cls, settings: Settings, code_version: str = "") -> Self:
        """The policy that follows from the settings."""
        return cls(
            startup=settings.startup_seconds or (120 if settings.is_local else 600),
            stale=settings.stale_seconds or (20 if settings.is_local else 180),
            stalled=settings.stalled_seconds or max(5 * settings.trigger, 120),
            lagging=600,
            slow_batches=10,
            memory_heartbeats=5,
            max_age=settings.max_age_hours * 3600,
            code_version=code_version,
        )


def judge(heartbeat: Heartbeat | None, desired_state: DesiredState, now: datetime, policy: Policy) -> Verdict:
    """The verdict on the stream that `desired_state` requests, from the last heartbeat of its driver.

    A heartbeat with another token is of an earlier run and is ignored: until the driver's first heartbeat, only the
    time since the start counts. A quiet stream is idle, never stalled: stalled needs a backlog. A stream whose batch
    is held until a load job is free, or waits for BigQuery or the state files, is not stalled either: a restart would
    not end the wait. The timeout of the batch counts from the end of the wait.
    """
    if heartbeat is None or heartbeat.token != desired_state.token:
        waited = age(desired_state.at, now).total_seconds()
        return Verdict.STARTING if waited <= policy.startup else Verdict.NEVER_STARTED
    if heartbeat.state is State.STOPPED:
        return Verdict.STOPPED
    if heartbeat.state is State.FAILED:
        return Verdict.POISON_BATCH if failures(heartbeat, desired_state)[1] >= POISON_FAILURES else Verdict.FAILED
    if heartbeat.state is State.STARTING:
        return _judge_starting(heartbeat, now, policy)
    stale = timedelta(seconds=policy.stale)
    if age(heartbeat.at, now, stale) > stale:
        return Verdict.DEAD_OR_FROZEN
    return _judge_running(heartbeat, now, policy)


def _judge_starting(heartbeat: Heartbeat, now: datetime, policy: Policy) -> Verdict:
    """Silent until its session is up, longer than `stale`; but while it waits, it writes heartbeats that say so."""
    stale = timedelta(seconds=policy.stale)
    if heartbeat.waiting_since and age(heartbeat.at, now, stale) <= stale:
        is_long = now - heartbeat.waiting_since > timedelta(seconds=policy.stalled)
        return Verdict.WAITING if is_long else Verdict.STARTING
    waited = age(heartbeat.waited_until or heartbeat.started_at, now).total_seconds()
    return Verdict.STARTING if waited <= policy.startup else Verdict.NEVER_STARTED


def _judge_running(heartbeat: Heartbeat, now: datetime, policy: Policy) -> Verdict:
    start = heartbeat.started_at
    active_at = max(heartbeat.progress_at or start, heartbeat.held_until or start, heartbeat.waited_until or start)
    progress_age = (now - active_at).total_seconds()
    age = (now - heartbeat.started_at).total_seconds()
    is_old_code = bool(policy.code_version and heartbeat.code_version and policy.code_version != heartbeat.code_version)
    if heartbeat.backlog > 0 and progress_age > policy.stalled:
        return Verdict.STALLED
    if heartbeat.memory_high_heartbeats >= policy.memory_heartbeats:
        return Verdict.MEMORY
    if age > policy.max_age or is_old_code:
        return Verdict.RECYCLE
    if heartbeat.waiting_since and now - heartbeat.waiting_since > timedelta(seconds=policy.stalled):
        return Verdict.WAITING
    if heartbeat.lagging_since and now - heartbeat.lagging_since > timedelta(seconds=policy.lagging):
        return Verdict.LAGGING
    if heartbeat.slow_batches >= policy.slow_batches:
        return Verdict.SLOW
    if heartbeat.backlog == 0 and progress_age > policy.stale:
        return Verdict.IDLE
    return Verdict.HEALTHY


_BACK_OFF_SECONDS = (0, 10, 30, 60, 120, 300)
MAX_BACK_OFF_SECONDS = _BACK_OFF_SECONDS[-1]
_STABLE_AFTER = timedelta(seconds=30)
POISON_FAILURES = 3


def back_off_seconds(attempts: int) -> int:
    """Seconds to wait after N consecutive starts that did not run stably: 0, 10, 30, 60, 120, then 300."""
    return _BACK_OFF_SECONDS[min(attempts, len(_BACK_OFF_SECONDS)) - 1] if attempts else 0


def ran_stably(heartbeat: Heartbeat | None, desired_state: DesiredState) -> bool:
    """Whether the driver of `desired_state` worked for half a minute: what ends it later is a new problem."""
    if heartbeat is None or heartbeat.token != desired_state.token or heartbeat.progress_at is None:
        return False
    is_quiet = heartbeat.backlog == 0 and heartbeat.state is not State.FAILED
    worked_until = heartbeat.at if is_quiet else heartbeat.progress_at
    return worked_until - heartbeat.started_at >= _STABLE_AFTER


def failures(heartbeat: Heartbeat | None, desired_state: DesiredState) -> tuple[str, int]:
    """The batch that drivers failed on, and how many in a row; "" and 0 if none failed."""
    if heartbeat is None or heartbeat.token != desired_state.token or not heartbeat.failed_batch:
        return (
            ("", 0)
            if ran_stably(heartbeat, desired_state)
            else (desired_state.failed_batch, desired_state.failed_count)
        )
    is_same_batch = heartbeat.failed_batch == desired_state.failed_batch
    return heartbeat.failed_batch, (desired_state.failed_count if is_same_batch else 0) + 1
