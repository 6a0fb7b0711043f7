"""What the guard decides, as pure functions: adopt or start a driver, and whether its life is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from csat.health import (
    ENDING,
    RECYCLING,
    SUPERSEDED_EXIT_CODE,
    WARNING,
    Control,
    Health,
    Policy,
    State,
    Verdict,
    back_off_seconds,
    failures,
    judge,
    lived_well,
)
from guard.backends import Process

ALIVE = {Verdict.STARTING, Verdict.HEALTHY, Verdict.IDLE} | WARNING
SUCCESS = RECYCLING | {Verdict.STOPPED, Verdict.SUPERSEDED}
_STARTS_KEPT = timedelta(minutes=30)

WORDS = {
    Verdict.STARTING: "The stream is starting",
    Verdict.HEALTHY: "The stream is healthy",
    Verdict.IDLE: "The stream is healthy and has nothing to do",
    Verdict.LAGGING: "The stream lags behind Kafka; a restart would make it worse",
    Verdict.SLOW: "The stream's batches take longer than its trigger; a restart would make it worse",
    Verdict.NEVER_STARTED: "The stream did not start",
    Verdict.DEAD_OR_FROZEN: "The stream is dead or frozen",
    Verdict.FAILED: "The stream's query failed",
    Verdict.POISON_BATCH: "The stream's query failed again and again on the same batch: it needs a person",
    Verdict.STALLED: "The stream is stalled: messages wait and no batch ends",
    Verdict.MEMORY: "The stream was restarted in good order: its memory was almost full",
    Verdict.RECYCLE: "The stream was restarted in good order: too old, or of older code",
    Verdict.STOPPED: "The stream stopped as it was told",
    Verdict.SUPERSEDED: "Another driver has the stream",
}


@dataclass(frozen=True)
class Plan:
    """One life of the stream: the driver with this token, in the place of the one with `replaces`, not before `at`."""

    token: str
    replaces: str
    at: datetime


@dataclass(frozen=True)
class Look:
    """What one look at the stream found."""

    verdict: Verdict
    detail: str
    is_over: bool

    def __str__(self) -> str:
        return f"{WORDS[self.verdict]} ({self.detail})"


def plan(
    control: Control | None, health: Health | None, process: Process | None, now: datetime, policy: Policy, token: str
) -> Plan:
    """The running driver if it is well, else a new one with `token`, after the back-off.

    `process` is None when the backend cannot be asked: nothing is adopted then.
    """
    if control is None:
        return Plan(token, "", now)
    is_alive = process is not None and process.is_alive
    if control.desired == "run" and is_alive and judge(health, control, now, policy) in ALIVE:
        return Plan(control.token, control.token, now)
    return Plan(token, control.token, now + timedelta(seconds=back_off_seconds(_attempts(control, health))))


def _attempts(control: Control, health: Health | None) -> int:
    return 0 if lived_well(health, control) else control.attempts


def starting(before: Control | None, health: Health | None, token: str, now: datetime) -> Control:
    """The control document of a new driver: it tells of the starts of the last 30 minutes and of failed ones."""
    first = Control(token=token, desired="run", reason="started by Airflow", at=now, started_at=(now,))
    if before is None:
        return first
    recent = tuple(start for start in before.started_at if now - start <= _STARTS_KEPT)
    batch, count = failures(health, before)
    change = {
        "started_at": (*recent, now),
        "attempts": _attempts(before, health) + 1,
        "failed_batch": batch,
        "failed_count": count,
    }
    return first.model_copy(update=change)


def conclude(control: Control, health: Health | None, process: Process | None, now: datetime, policy: Policy) -> Look:
    """The look at the driver that `control` names; `process` is None when the backend cannot be asked."""
    own = health if health is not None and health.token == control.token else None
    is_failed = own is not None and own.state is State.FAILED
    if process is not None and not process.is_alive and not is_failed:
        return _conclude_ended(control, own, process)
    verdict = judge(health, control, now, policy)
    if control.desired == "stop":  # a last batch may take longer than a beat may
        if verdict is Verdict.STOPPED:
            return stopped(control)
        return Look(verdict, f"told to stop: {control.reason}", is_failed)
    return Look(verdict, _describe(own, now), verdict in ENDING - RECYCLING)


def stopped(control: Control) -> Look:
    """The end of a driver that was told to stop: a recycle, when the guard asked for it by itself."""
    asked = control.reason.split(":")[0]
    return Look(Verdict(asked) if asked in set(RECYCLING) else Verdict.STOPPED, control.reason, True)


def _conclude_ended(control: Control, own: Health | None, process: Process) -> Look:
    if process.exit_code == SUPERSEDED_EXIT_CODE:
        return Look(Verdict.SUPERSEDED, f"the process left: {process.detail}", True)
    if control.desired == "stop" or (own is not None and own.state is State.STOPPED):
        return stopped(control)
    lived = "after its last beat" if own else "before its first beat"
    return Look(Verdict.DEAD_OR_FROZEN, f"the process ended {lived}: {process.detail}", True)


def _describe(own: Health | None, now: datetime) -> str:
    if own is None:
        return "no beat yet"
    beat = f"last beat {(now - own.at).total_seconds():.0f} s ago"
    if own.failed_batch:
        return f"in batch {own.failed_batch}: {own.error}; {beat}"
    if own.error:
        return f"{own.error}; {beat}"
    progress = f"{(now - own.progress_at).total_seconds():.0f} s ago" if own.progress_at else "never"
    hold = ""
    if own.held_until and own.held_until > now:
        hold = f", the next held until {own.held_until:%H:%M:%S} UTC since few of the day's load jobs are left"
    rows = f"{own.rows_committed} rows committed, backlog {own.backlog}"
    return f"batch {own.batch_id} ended {progress}{hold}, {rows}, {beat}"
