"""The guard's decisions: adopt or start, and whether a stream run has ended."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.airflow.backends.base import Process
from csat.airflow.decide import MESSAGES, SUCCESS, Plan, conclude, next_desired_state, plan
from csat.control.verdict import DesiredState, Heartbeat, Policy, State, Verdict

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
POLICY = Policy(startup=120, stale=20, stalled=120, lagging=600, slow_batches=10, memory_heartbeats=5, max_age=86_400)
RUNS = Process(True, None, "RUNNING", "a")
OLD_RUNS = Process(True, None, "RUNNING", "old")
OLD_ENDED = Process(False, 1, "EXITED", "old")
NEVER_RAN = Process(False, None, "STOPPED")
Make = Callable[..., Any]


def ended(code: int) -> Process:
    return Process(False, code, "EXITED", "a")


def decide(desired_state: DesiredState | None, heartbeat: Heartbeat | None, process: Process | None) -> Plan:
    return plan(desired_state, heartbeat, process, NOON, POLICY, "new")


def test_plan_starts_at_once_when_there_was_no_run_before() -> None:
    assert decide(None, None, NEVER_RAN) == Plan("new", "", NOON)


def test_plan_adopts_a_healthy_driver(make_desired_state: Make, make_heartbeat: Make) -> None:
    assert decide(make_desired_state(), make_heartbeat(), RUNS) == Plan("a", "a", NOON)


def test_plan_adopts_a_starting_driver(make_desired_state: Make) -> None:
    assert decide(make_desired_state(), None, RUNS) == Plan("a", "a", NOON)


@pytest.mark.parametrize(
    ("desired_state", "heartbeat", "process"),
    [
        ({"desired": "stop"}, {}, RUNS),
        ({}, {"at": NOON - timedelta(seconds=21)}, RUNS),
        ({}, {"state": State.FAILED}, RUNS),
        ({}, {"memory_high_heartbeats": 5}, RUNS),
        ({}, {}, ended(137)),
        ({}, {}, None),
        ({}, {}, OLD_RUNS),
    ],
    ids=["stop requested", "frozen", "failed", "due for a recycle", "process gone", "backend silent", "by hand"],
)
def test_plan_starts_a_new_driver_when_the_last_is_unhealthy(
    make_desired_state: Make,
    make_heartbeat: Make,
    desired_state: dict[str, Any],
    heartbeat: dict[str, Any],
    process: Process | None,
) -> None:
    assert decide(make_desired_state(**desired_state), make_heartbeat(**heartbeat), process) == Plan("new", "a", NOON)


def test_plan_waits_for_the_back_off_when_drivers_keep_failing(make_desired_state: Make) -> None:
    assert decide(make_desired_state(attempts=3), None, ended(1)).at == NOON + timedelta(seconds=30)


def test_plan_starts_at_once_when_the_last_driver_ran_stably(make_desired_state: Make, make_heartbeat: Make) -> None:
    well = make_heartbeat(started_at=NOON - timedelta(seconds=60))
    assert decide(make_desired_state(attempts=6), well, ended(1)).at == NOON


def test_desired_state_keeps_the_starts_of_the_last_half_hour_and_adds_its_own(make_desired_state: Make) -> None:
    old, recent = NOON - timedelta(seconds=1801), NOON - timedelta(seconds=1800)
    desired_state = next_desired_state(make_desired_state(started_at=(old, recent)), None, "new", NOON)
    assert (desired_state.token, desired_state.desired, desired_state.at) == ("new", "run", NOON)
    assert desired_state.started_at == (recent, NOON)


def test_desired_state_forgets_starts_of_the_future(make_desired_state: Make) -> None:
    before = make_desired_state(started_at=(NOON + timedelta(seconds=61),))
    assert next_desired_state(before, None, "new", NOON).started_at == (NOON,)


def test_desired_state_counts_attempts_and_failures_in_a_row(make_desired_state: Make, make_heartbeat: Make) -> None:
    before = make_desired_state(attempts=2, failed_batch="q-7", failed_count=1)
    again = next_desired_state(before, make_heartbeat(state="failed", failed_batch="q-7"), "new", NOON)
    assert (again.attempts, again.failed_batch, again.failed_count) == (3, "q-7", 2)
    well = next_desired_state(before, make_heartbeat(started_at=NOON - timedelta(seconds=60)), "new", NOON)
    assert (well.attempts, well.failed_batch, well.failed_count) == (1, "", 0)


STOP = {"desired": "stop"}


@pytest.mark.parametrize(
    ("desired_state", "heartbeat", "process", "verdict", "has_ended"),
    [
        ({}, {}, RUNS, "healthy", False),
        ({}, {}, None, "healthy", False),
        ({}, {"token": "other"}, RUNS, "starting", False),
        ({}, {"slow_batches": 10}, RUNS, "slow", False),
        ({}, {"memory_high_heartbeats": 5}, RUNS, "memory", False),
        ({}, {"at": NOON - timedelta(seconds=21)}, RUNS, "dead_or_frozen", True),
        ({}, {"state": "failed"}, RUNS, "failed", True),
        ({}, {"state": "failed"}, ended(1), "failed", True),
        ({}, {"state": "stopped"}, RUNS, "stopped", True),
        ({}, {}, ended(-1), "dead_or_frozen", True),
        ({}, {}, ended(0), "dead_or_frozen", True),
        ({}, {}, ended(75), "superseded", True),
        ({}, {}, NEVER_RAN, "dead_or_frozen", True),
        ({}, {"token": "other"}, ended(1), "dead_or_frozen", True),
        ({}, {"token": "other", "state": "failed"}, RUNS, "starting", False),
        ({}, {"token": "other"}, OLD_RUNS, "starting", False),
        ({}, {"token": "other"}, OLD_ENDED, "starting", False),
        ({}, {"token": "other"}, NEVER_RAN, "starting", False),
        ({"at": NOON - timedelta(seconds=121)}, {"token": "other"}, OLD_ENDED, "never_started", True),
        (STOP, {"token": "other"}, OLD_ENDED, "stopped", True),
        (STOP, {}, RUNS, "healthy", False),
        (STOP, {"at": NOON - timedelta(seconds=21)}, RUNS, "dead_or_frozen", False),
        (STOP, {"state": "stopped"}, RUNS, "stopped", True),
        (STOP, {}, ended(0), "stopped", True),
        (STOP, {}, ended(-1), "stopped", True),
        (STOP, {"state": "failed"}, RUNS, "failed", True),
        (STOP | {"reason": "memory: full"}, {"state": "stopped"}, RUNS, "memory", True),
        (STOP | {"reason": "recycle: a day old"}, {}, ended(0), "recycle", True),
    ],
)
def test_conclude_gives_the_verdict_and_whether_the_run_has_ended(
    make_desired_state: Make,
    make_heartbeat: Make,
    desired_state: dict[str, Any],
    heartbeat: dict[str, Any],
    process: Process | None,
    verdict: str,
    has_ended: bool,
) -> None:
    status = conclude(make_desired_state(**desired_state), make_heartbeat(**heartbeat), process, NOON, POLICY)
    assert (status.verdict.value, status.has_ended) == (verdict, has_ended)


def test_a_stream_that_waits_says_for_what_and_since_when_and_its_run_goes_on(
    make_desired_state: Make, make_heartbeat: Make
) -> None:
    since = NOON - timedelta(seconds=300)
    waits = {"waiting_for": "load job j", "waiting_since": since, "waited_until": NOON, "error": "Kafka is away"}
    late = make_heartbeat(backlog=9, progress_at=since, **waits)
    status = conclude(make_desired_state(), late, RUNS, NOON, POLICY)
    assert (status.verdict, status.has_ended) == (Verdict.WAITING, False)
    assert status.detail == "waiting for load job j since 11:55:00 UTC; last heartbeat 0 s ago"


def test_every_verdict_has_a_message() -> None:
    assert set(MESSAGES) == set(Verdict)


def test_a_clean_end_is_a_success() -> None:
    assert {Verdict.STOPPED, Verdict.SUPERSEDED, Verdict.MEMORY, Verdict.RECYCLE} == SUCCESS
