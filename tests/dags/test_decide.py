"""What the guard decides: adopt or start, and whether a life is over."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.health import Control, Health, Policy, State, Verdict
from guard.backends import Process
from guard.decide import SUCCESS, WORDS, Plan, conclude, plan, poison_batch, starting

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


def test_plan_waits_for_the_back_off_of_recent_starts(make_control: Make) -> None:
    starts = tuple(NOON - timedelta(seconds=age) for age in (2000, 60, 40, 20))
    before = make_control(started_at=starts)
    assert decide(before, None, ended(1)).at == NOON + timedelta(seconds=30)


def test_starting_keeps_the_starts_of_the_last_half_hour_and_adds_its_own(make_control: Make) -> None:
    old, recent = NOON - timedelta(seconds=1801), NOON - timedelta(seconds=1800)
    control = starting(make_control(started_at=(old, recent)), None, "new", NOON)
    assert (control.token, control.desired, control.at) == ("new", "run", NOON)
    assert control.started_at == (recent, NOON)


@pytest.mark.parametrize(
    ("before", "batch", "poison"),
    [
        (("b7", "b7"), "b7", "b7"),
        (("b1", "b7", "b7"), "b7", "b7"),
        (("b7",), "b7", ""),
        (("b7", "b6"), "b7", ""),
        (("b7", "b7", "b7"), "", ""),
        (("b7", "b7", "b7"), "b8", ""),
    ],
    ids=["third time", "after another", "second time", "another between", "no batch in hand", "another batch"],
)
def test_a_batch_that_three_lives_in_a_row_fail_in_is_poison(
    make_control: Make, make_health: Make, before: tuple[str, ...], batch: str, poison: str
) -> None:
    failed = make_health(state=State.FAILED, failed_batch=batch)
    assert poison_batch(make_control(failed_batches=before), failed) == poison


def test_the_failed_batch_of_another_life_is_no_poison(make_control: Make, make_health: Make) -> None:
    other = make_health(token="other", state=State.FAILED, failed_batch="b7")
    assert poison_batch(make_control(failed_batches=("b7", "b7")), other) == ""


def test_starting_remembers_in_which_batches_the_last_lives_failed(make_control: Make, make_health: Make) -> None:
    before = make_control(failed_batches=("b1", "b2", "b3", "b4", "b5"))
    after = starting(before, make_health(failed_batch="b6"), "new", NOON)
    assert after.failed_batches == ("b2", "b3", "b4", "b5", "b6")
    assert starting(before, make_health(token="x", failed_batch="b6"), "new", NOON).failed_batches[-1] == "b5"
    assert starting(None, make_health(failed_batch="b6"), "new", NOON).failed_batches == ()


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
