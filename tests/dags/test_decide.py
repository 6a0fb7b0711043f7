"""What the guard decides: adopt or start, and whether a life is over."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.health import Control, Health, Policy, State, Verdict
from guard.backends import Process
from guard.decide import SUCCESS, WORDS, Plan, conclude, plan, starting

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
POLICY = Policy(startup=120, stale=20, stalled=120, lagging=600, slow_batches=10, memory_beats=5, max_age=86_400)
RUNS = Process(True, None, "RUNNING")
NEVER_RAN = Process(False, None, "STOPPED")
Make = Callable[..., Any]


def ended(code: int) -> Process:
    return Process(False, code, "EXITED")


def decide(control: Control | None, health: Health | None, process: Process | None) -> Plan:
    return plan(control, health, process, NOON, POLICY, "new")


def test_plan_starts_at_once_when_there_was_no_life_before() -> None:
    assert decide(None, None, NEVER_RAN) == Plan("new", "", NOON)


def test_plan_adopts_a_driver_that_runs_well(make_control: Make, make_health: Make) -> None:
    assert decide(make_control(), make_health(), RUNS) == Plan("a", "a", NOON)


def test_plan_adopts_a_driver_that_still_starts(make_control: Make) -> None:
    assert decide(make_control(), None, RUNS) == Plan("a", "a", NOON)


@pytest.mark.parametrize(
    ("control", "health", "process"),
    [
        ({"desired": "stop"}, {}, RUNS),
        ({}, {"at": NOON - timedelta(seconds=21)}, RUNS),
        ({}, {"state": State.FAILED}, RUNS),
        ({}, {"memory_high_beats": 5}, RUNS),
        ({}, {}, ended(137)),
        ({}, {}, None),
    ],
    ids=["told to stop", "frozen", "failed", "due for a recycle", "process gone", "backend silent"],
)
def test_plan_starts_anew_when_the_driver_is_not_well(
    make_control: Make, make_health: Make, control: dict[str, Any], health: dict[str, Any], process: Process | None
) -> None:
    assert decide(make_control(**control), make_health(**health), process) == Plan("new", "a", NOON)


def test_plan_waits_for_the_back_off_when_drivers_do_not_live(make_control: Make) -> None:
    assert decide(make_control(attempts=3), None, ended(1)).at == NOON + timedelta(seconds=30)


def test_plan_starts_at_once_when_the_last_driver_lived_well(make_control: Make, make_health: Make) -> None:
    well = make_health(started_at=NOON - timedelta(seconds=60))
    assert decide(make_control(attempts=6), well, ended(1)).at == NOON


def test_starting_keeps_the_starts_of_the_last_half_hour_and_adds_its_own(make_control: Make) -> None:
    old, recent = NOON - timedelta(seconds=1801), NOON - timedelta(seconds=1800)
    control = starting(make_control(started_at=(old, recent)), None, "new", NOON)
    assert (control.token, control.desired, control.at) == ("new", "run", NOON)
    assert control.started_at == (recent, NOON)


def test_starting_counts_the_attempts_and_the_failures_in_a_row(make_control: Make, make_health: Make) -> None:
    before = make_control(attempts=2, failed_batch="q-7", failed_count=1)
    again = starting(before, make_health(state="failed", failed_batch="q-7"), "new", NOON)
    assert (again.attempts, again.failed_batch, again.failed_count) == (3, "q-7", 2)
    well = starting(before, make_health(started_at=NOON - timedelta(seconds=60)), "new", NOON)
    assert (well.attempts, well.failed_batch, well.failed_count) == (1, "", 0)


STOP = {"desired": "stop"}


@pytest.mark.parametrize(
    ("control", "health", "process", "verdict", "is_over"),
    [
        ({}, {}, RUNS, "healthy", False),
        ({}, {}, None, "healthy", False),
        ({}, {"token": "other"}, RUNS, "starting", False),
        ({}, {"slow_batches": 10}, RUNS, "slow", False),
        ({}, {"memory_high_beats": 5}, RUNS, "memory", False),
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
def test_conclude_gives_the_verdict_and_whether_it_is_the_end(
    make_control: Make,
    make_health: Make,
    control: dict[str, Any],
    health: dict[str, Any],
    process: Process | None,
    verdict: str,
    is_over: bool,
) -> None:
    look = conclude(make_control(**control), make_health(**health), process, NOON, POLICY)
    assert (look.verdict.value, look.is_over) == (verdict, is_over)


def test_every_verdict_has_words() -> None:
    assert set(WORDS) == set(Verdict)


def test_a_life_that_ended_in_good_order_is_a_success() -> None:
    assert {Verdict.STOPPED, Verdict.SUPERSEDED, Verdict.MEMORY, Verdict.RECYCLE} == SUCCESS
