"""The guard's decisions, as pure functions: adopt or start a driver, and whether its run has ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from csat.airflow.backends.base import Process
from csat.contract.ages import age
from csat.control.verdict import (
    ENDING,
    RECYCLING,
    SUPERSEDED_EXIT_CODE,
    WARNING,
    DesiredState,
    Heartbeat,
    Policy,
    State,
    Verdict,
    back_off_seconds,
    failures,
    judge,
    ran_stably,
)

ALIVE = {Verdict.STARTING, Verdict.HEALTHY, Verdict.IDLE} | WARNING
SUCCESS = RECYCLING | {Verdict.STOPPED, Verdict.SUPERSEDED}
_STARTS_WINDOW = timedelta(minutes=30)

MESSAGES = {
    Verdict.STARTING: "The stream is starting",
    Verdict.HEALTHY: "The stream is healthy",
    Verdict.IDLE: "The stream is healthy and has nothing to do",
    Verdict.WAITING: "The stream's batch waits for what is not the stream's; a restart would not end that",
    Verdict.LAGGING: "The stream lags behind Kafka; a restart would make it worse",
    Verdict.SLOW: "The stream's batches take longer than the trigger interval; a restart would make it worse",
    Verdict.NEVER_STARTED: "The stream did not start",
    Verdict.DEAD_OR_FROZEN: "The stream is dead or frozen",
    Verdict.FAILED: "The stream's query failed",
    Verdict.POISON_BATCH: "The stream's query failed repeatedly on the same batch and needs manual action",
    Verdict.STALLED: "The stream is stalled: messages wait and no batch finishes",
    Verdict.MEMORY: "The stream was restarted cleanly: its memory was almost full",
    Verdict.RECYCLE: "The stream was restarted cleanly: maximum uptime, or new code",
    Verdict.STOPPED: "The stream stopped as requested",
    Verdict.SUPERSEDED: "Another driver has the stream",
}


@dataclass(frozen=True)
class Plan:
    """One stream run: a driver with this token, replacing the one with `replaces`, not before `at`."""

    token: str
    replaces: str
    at: datetime


@dataclass(frozen=True)
class RunStatus:
    """The status of a stream run."""

    verdict: Verdict
    detail: str
    has_ended: bool

    def __str__(self) -> str:
        return f"{MESSAGES[self.verdict]} ({self.detail})"


def plan(
    desired_state: DesiredState | None,
    heartbeat: Heartbeat | None,
    process: Process | None,
    now: datetime,
    policy: Policy,
    token: str,
) -> Plan:
    """Adopt the running driver if it is healthy, else plan a new one with `token`, after the back-off.

    `process` is None if the backend is unreachable: nothing is adopted then.
    """
    if desired_state is None:
        return Plan(token, "", now)
    is_alive = process is not None and process.is_alive and process.token == desired_state.token
    if desired_state.desired == "run" and is_alive and judge(heartbeat, desired_state, now, policy) in ALIVE:
        return Plan(desired_state.token, desired_state.token, now)
    return Plan(
        token, desired_state.token, now + timedelta(seconds=back_off_seconds(_attempts(desired_state, heartbeat)))
    )


def _attempts(desired_state: DesiredState, heartbeat: Heartbeat | None) -> int:
    return 0 if ran_stably(heartbeat, desired_state) else desired_state.attempts


def next_desired_state(
    before: DesiredState | None, heartbeat: Heartbeat | None, token: str, now: datetime
) -> DesiredState:
    """The desired state of a new driver, with the starts of the last 30 minutes and the failures in a row."""
    first = DesiredState(token=token, desired="run", reason="started by Airflow", at=now, started_at=(now,))
    if before is None:
        return first
    recent = tuple(start for start in before.started_at if age(start, now) <= _STARTS_WINDOW)
    batch, count = failures(heartbeat, before)
    change = {
        "started_at": (*recent, now),
        "attempts": _attempts(before, heartbeat) + 1,
        "failed_batch": batch,
        "failed_count": count,
    }
    return first.model_copy(update=change)


def conclude(
    desired_state: DesiredState, heartbeat: Heartbeat | None, process: Process | None, now: datetime, policy: Policy
) -> RunStatus:
    """The status of the driver that `desired_state` names; `process` is None if the backend is unreachable.

    While its process was not started, the process that the backend knows is an earlier driver's, and means nothing.
    """
    if not was_started(desired_state, heartbeat, process):
        if desired_state.desired == "stop":
            return stopped_status(desired_state)
        process = None
    own = heartbeat if heartbeat is not None and heartbeat.token == desired_state.token else None
    is_failed = own is not None and own.state is State.FAILED
    if process is not None and not process.is_alive and not is_failed:
        return _conclude_ended(desired_state, own, process)
    verdict = judge(heartbeat, desired_state, now, policy)
    if desired_state.desired == "stop":  # the last batch may take longer than `stale`
        if verdict is Verdict.STOPPED:
            return stopped_status(desired_state)
        return RunStatus(verdict, f"stop requested: {desired_state.reason}", is_failed)
    return RunStatus(verdict, _describe(own, now), verdict in ENDING - RECYCLING)


def was_started(desired_state: DesiredState, heartbeat: Heartbeat | None, process: Process | None) -> bool:
    """Whether the driver that `desired_state` names was started, as its process or its heartbeat shows.

    True too if the backend is unreachable: nothing is started then.
    """
    has_heartbeat = heartbeat is not None and heartbeat.token == desired_state.token
    return process is None or has_heartbeat or process.token == desired_state.token


def stopped_status(desired_state: DesiredState) -> RunStatus:
    """The status of a driver that stopped on request: a recycle if the guard requested it."""
    requested = desired_state.reason.split(":")[0]
    return RunStatus(Verdict(requested) if requested in set(RECYCLING) else Verdict.STOPPED, desired_state.reason, True)


def _conclude_ended(desired_state: DesiredState, own: Heartbeat | None, process: Process) -> RunStatus:
    if process.exit_code == SUPERSEDED_EXIT_CODE:
        return RunStatus(Verdict.SUPERSEDED, f"the process exited: {process.detail}", True)
    if desired_state.desired == "stop" or (own is not None and own.state is State.STOPPED):
        return stopped_status(desired_state)
    phase = "after its last heartbeat" if own else "before its first heartbeat"
    return RunStatus(Verdict.DEAD_OR_FROZEN, f"the process ended {phase}: {process.detail}", True)


def _describe(own: Heartbeat | None, now: datetime) -> str:
    if own is None:
        return "no heartbeat yet"
    last = f"last heartbeat {(now - own.at).total_seconds():.0f} s ago"
    if own.failed_batch:
        return f"in batch {own.failed_batch}: {own.error}; {last}"
    if own.waiting_for and own.waiting_since:
        return f"waiting for {own.waiting_for} since {own.waiting_since:%H:%M:%S} UTC; {last}"
    if own.error:
        return f"{own.error}; {last}"
    progress = f"{(now - own.progress_at).total_seconds():.0f} s ago" if own.progress_at else "never"
    hold = ""
    if own.held_until and own.held_until > now:
        hold = f", the next is held until {own.held_until:%H:%M:%S} UTC because few of the day's load jobs are left"
    rows = f"{own.rows_committed} rows committed, backlog {own.backlog}"
    return f"batch {own.batch_id} ended {progress}{hold}, {rows}, {last}"
