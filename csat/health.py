"""The two documents between Airflow and the stream, and the judgement made from them.

Airflow writes control.json, the stream's driver writes health.json at every beat. Nothing else is shared: no
process id, no consumer group. A token, new at every start, ties the two together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

from csat.settings import Settings

SUPERSEDED_EXIT_CODE = 75  # EX_TEMPFAIL: another driver has the stream


class Control(BaseModel):
    """What Airflow wants: one driver, the one with this token, running or stopped."""

    model_config = ConfigDict(frozen=True)

    token: str
    desired: Literal["run", "stop"]
    reason: str
    at: AwareDatetime
    started_at: tuple[AwareDatetime, ...] = ()  # recent starts, newest last
    attempts: int = 1  # starts in a row, this one too, since a driver last lived well: the back-off counts them
    failed_batch: str = ""  # what the drivers before failed on, the last ones in a row
    failed_count: int = 0


class State(StrEnum):
    """Where a driver is in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"


class Health(BaseModel):
    """What the driver says of itself at a beat. Times are UTC; rates are rows a second."""

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
    memory_high_beats: int = 0
    memory_bytes: int = 0
    held_until: AwareDatetime | None = None  # what its last batch waited for, or waits: one of the day's load jobs
    error: str = ""
    failed_batch: str = ""  # the batch in hand when the query failed


class Verdict(StrEnum):
    """What a look at the two documents says."""

    STARTING = "starting"
    HEALTHY = "healthy"
    IDLE = "idle"
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
WARNING = {Verdict.LAGGING, Verdict.SLOW}  # a restart would make it worse
ENDING = RESTARTING | RECYCLING | {Verdict.STOPPED, Verdict.SUPERSEDED}


@dataclass(frozen=True)
class Policy:
    """Limits of the judgement, in seconds unless the name says otherwise."""

    startup: float
    stale: float
    stalled: float
    lagging: float
    slow_batches: int
    memory_beats: int
    max_age: float
    code_version: str = ""

    @classmethod
    def of(cls, settings: Settings, code_version: str = "") -> Self:
        """The policy that the settings ask for."""
        return cls(
            startup=settings.startup_seconds or (120 if settings.is_local else 600),
            stale=settings.stale_seconds or (20 if settings.is_local else 180),
            stalled=settings.stalled_seconds or max(5 * settings.trigger, 120),
            lagging=600,
            slow_batches=10,
            memory_beats=5,
            max_age=settings.max_age_hours * 3600,
            code_version=code_version,
        )


def judge(health: Health | None, control: Control, now: datetime, policy: Policy) -> Verdict:
    """The verdict on the stream that `control` asks for, from the last thing its driver said.

    A document of another token is of an earlier life and is not judged: until the driver has beaten once, only the
    time since the start counts. A quiet stream is idle, never stalled: stalled needs a backlog. Nor is one whose batch
    is held until a load job is free: the time to end it counts from there.
    """
    if health is None or health.token != control.token:
        waited = (now - control.at).total_seconds()
        return Verdict.STARTING if waited <= policy.startup else Verdict.NEVER_STARTED
    if health.state is State.STOPPED:
        return Verdict.STOPPED
    if health.state is State.FAILED:
        return Verdict.POISON_BATCH if failures(health, control)[1] >= POISON_FAILURES else Verdict.FAILED
    if health.state is State.STARTING:  # it beats again when its session is up, which takes longer than a beat may
        waited = (now - health.started_at).total_seconds()
        return Verdict.STARTING if waited <= policy.startup else Verdict.NEVER_STARTED
    if abs(now - health.at) > timedelta(seconds=policy.stale):  # words of another time are none
        return Verdict.DEAD_OR_FROZEN
    return _judge_running(health, now, policy)


def _judge_running(health: Health, now: datetime, policy: Policy) -> Verdict:
    progress_age = (
        now - max(health.progress_at or health.started_at, health.held_until or health.started_at)
    ).total_seconds()
    age = (now - health.started_at).total_seconds()
    is_old_code = bool(policy.code_version and health.code_version and policy.code_version != health.code_version)
    if health.backlog > 0 and progress_age > policy.stalled:
        return Verdict.STALLED
    if health.memory_high_beats >= policy.memory_beats:
        return Verdict.MEMORY
    if age > policy.max_age or is_old_code:
        return Verdict.RECYCLE
    if health.lagging_since and now - health.lagging_since > timedelta(seconds=policy.lagging):
        return Verdict.LAGGING
    if health.slow_batches >= policy.slow_batches:
        return Verdict.SLOW
    if health.backlog == 0 and progress_age > policy.stale:
        return Verdict.IDLE
    return Verdict.HEALTHY


_BACK_OFF_SECONDS = (0, 10, 30, 60, 120, 300)
_WELL = timedelta(seconds=30)
POISON_FAILURES = 3


def back_off_seconds(attempts: int) -> int:
    """Seconds to wait after so many starts in a row that did not live well: 0, 10, 30, 60, 120, then 300."""
    return _BACK_OFF_SECONDS[min(attempts, len(_BACK_OFF_SECONDS)) - 1] if attempts else 0


def lived_well(health: Health | None, control: Control) -> bool:
    """Whether the driver that `control` names did its work for half a minute: what ends it later is a new trouble."""
    if health is None or health.token != control.token or health.progress_at is None:
        return False
    is_quiet = health.backlog == 0 and health.state is not State.FAILED
    worked_until = health.at if is_quiet else health.progress_at
    return worked_until - health.started_at >= _WELL


def failures(health: Health | None, control: Control) -> tuple[str, int]:
    """The batch that drivers failed on, and how many in a row; "" and 0 where none did."""
    if health is None or health.token != control.token or not health.failed_batch:
        return ("", 0) if lived_well(health, control) else (control.failed_batch, control.failed_count)
    is_again = health.failed_batch == control.failed_batch
    return health.failed_batch, (control.failed_count if is_again else 0) + 1
