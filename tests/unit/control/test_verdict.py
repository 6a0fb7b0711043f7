"""Verdicts and the back-off, each verdict from literals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.contract.settings import Settings
from csat.control.verdict import (
    ENDING,
    RECYCLING,
    RESTARTING,
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

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
POLICY = Policy(
    startup=120,
    stale=20,
    stalled=120,
    lagging=600,
    slow_batches=10,
    memory_heartbeats=5,
    max_age=86_400,
    code_version="b",
)


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def desired_state(**changed: Any) -> DesiredState:
    return DesiredState.model_validate({"token": "new", "desired": "run", "reason": "", "at": ago(3600)} | changed)


def heartbeat(**changed: Any) -> Heartbeat:
    """A healthy driver, an hour old: last heartbeat and last batch a second ago."""
    well = {"token": "new", "driver_id": "d", "state": State.RUNNING, "at": ago(1), "started_at": ago(3600)}
    return Heartbeat.model_validate(well | {"progress_at": ago(1)} | changed)


def failed(batch: str, **changes: Any) -> Heartbeat:
    return heartbeat(state=State.FAILED, failed_batch=batch, **changes)


CASES = [
    ("no heartbeat, within the start-up time", None, desired_state(at=ago(120)), Verdict.STARTING),
    ("no heartbeat, requested in the future", None, desired_state(at=ago(-61)), Verdict.NEVER_STARTED),
    ("no heartbeat, past the start-up time", None, desired_state(at=ago(121)), Verdict.NEVER_STARTED),
    ("another run's failure", heartbeat(token="old", state=State.FAILED), desired_state(at=ago(1)), Verdict.STARTING),
    ("another run's good health", heartbeat(token="old"), desired_state(at=ago(121)), Verdict.NEVER_STARTED),
    ("first heartbeat", heartbeat(state=State.STARTING, started_at=ago(120)), desired_state(), Verdict.STARTING),
    (
        "starts for too long",
        heartbeat(state=State.STARTING, started_at=ago(121)),
        desired_state(),
        Verdict.NEVER_STARTED,
    ),
    (
        "one heartbeat so far",
        heartbeat(state=State.STARTING, at=ago(21), started_at=ago(21)),
        desired_state(),
        Verdict.STARTING,
    ),
    (
        "waits during its start, not for long",
        heartbeat(state=State.STARTING, started_at=ago(900), waiting_since=ago(120), waited_until=ago(1)),
        desired_state(),
        Verdict.STARTING,
    ),
    (
        "waits during its start",
        heartbeat(state=State.STARTING, started_at=ago(900), waiting_since=ago(121), waited_until=ago(1)),
        desired_state(),
        Verdict.WAITING,
    ),
    (
        "starts after a wait",
        heartbeat(state=State.STARTING, at=ago(120), started_at=ago(900), waited_until=ago(120)),
        desired_state(),
        Verdict.STARTING,
    ),
    (
        "froze while it waited during its start",
        heartbeat(
            state=State.STARTING, at=ago(121), started_at=ago(900), waiting_since=ago(800), waited_until=ago(121)
        ),
        desired_state(),
        Verdict.NEVER_STARTED,
    ),
    ("heartbeat at the limit", heartbeat(at=ago(20)), desired_state(), Verdict.HEALTHY),
    ("heartbeat past the limit", heartbeat(at=ago(20.1)), desired_state(), Verdict.DEAD_OR_FROZEN),
    (
        "starting since the future",
        heartbeat(state="starting", started_at=ago(-61)),
        desired_state(),
        Verdict.NEVER_STARTED,
    ),
    ("heartbeat from the future at the limit", heartbeat(at=ago(-20)), desired_state(), Verdict.HEALTHY),
    ("heartbeat from the future past the limit", heartbeat(at=ago(-21)), desired_state(), Verdict.DEAD_OR_FROZEN),
    ("query failed", heartbeat(state=State.FAILED, error="no"), desired_state(), Verdict.FAILED),
    ("query failed long ago", heartbeat(state=State.FAILED, at=ago(999)), desired_state(), Verdict.FAILED),
    ("failed on a second batch", failed("q-7"), desired_state(failed_batch="q-6", failed_count=2), Verdict.FAILED),
    ("failed twice on a batch", failed("q-7"), desired_state(failed_batch="q-7", failed_count=1), Verdict.FAILED),
    ("failed a third time", failed("q-7"), desired_state(failed_batch="q-7", failed_count=2), Verdict.POISON_BATCH),
    ("stopped as requested", heartbeat(state=State.STOPPED), desired_state(desired="stop"), Verdict.STOPPED),
    ("stopped long ago", heartbeat(state=State.STOPPED, at=ago(999)), desired_state(), Verdict.STOPPED),
    ("backlog, batch at the limit", heartbeat(backlog=9, progress_at=ago(120)), desired_state(), Verdict.HEALTHY),
    ("backlog, no batch", heartbeat(backlog=9, progress_at=ago(121)), desired_state(), Verdict.STALLED),
    ("backlog, never a batch", heartbeat(backlog=9, progress_at=None), desired_state(), Verdict.STALLED),
    (
        "backlog, the batch held for a load job",
        heartbeat(backlog=9, progress_at=ago(3000), held_until=ago(-600)),
        desired_state(),
        Verdict.HEALTHY,
    ),
    (
        "backlog, the batch held until a while ago",
        heartbeat(backlog=9, progress_at=ago(3000), held_until=ago(120)),
        desired_state(),
        Verdict.HEALTHY,
    ),
    (
        "backlog, no batch since it is held no more",
        heartbeat(backlog=9, progress_at=ago(3000), held_until=ago(121)),
        desired_state(),
        Verdict.STALLED,
    ),
    ("held an hour ago, a batch since", heartbeat(backlog=9, held_until=ago(3000)), desired_state(), Verdict.HEALTHY),
    (
        "backlog, no batch, but it waits for BigQuery for a short time",
        heartbeat(backlog=9, progress_at=ago(300), waiting_for="b", waiting_since=ago(120), waited_until=ago(1)),
        desired_state(),
        Verdict.HEALTHY,
    ),
    (
        "backlog, no batch, but it waits for BigQuery",
        heartbeat(backlog=9, progress_at=ago(3000), waiting_for="b", waiting_since=ago(2900), waited_until=ago(1)),
        desired_state(),
        Verdict.WAITING,
    ),
    (
        "backlog, no batch since the wait ended",
        heartbeat(backlog=9, progress_at=ago(3000), waited_until=ago(121)),
        desired_state(),
        Verdict.STALLED,
    ),
    (
        "waits, and frozen",
        heartbeat(backlog=9, at=ago(21), waiting_for="b", waiting_since=ago(900), waited_until=ago(21)),
        desired_state(),
        Verdict.DEAD_OR_FROZEN,
    ),
    (
        "held, and frozen",
        heartbeat(backlog=9, at=ago(21), held_until=ago(-600)),
        desired_state(),
        Verdict.DEAD_OR_FROZEN,
    ),
    ("no backlog, no batch for an hour", heartbeat(progress_at=ago(3600)), desired_state(), Verdict.IDLE),
    ("no backlog, never a batch", heartbeat(progress_at=None), desired_state(), Verdict.IDLE),
    ("no backlog, a batch just now", heartbeat(progress_at=ago(20)), desired_state(), Verdict.HEALTHY),
    ("memory high for four heartbeats", heartbeat(memory_high_heartbeats=4), desired_state(), Verdict.HEALTHY),
    ("memory high for five heartbeats", heartbeat(memory_high_heartbeats=5), desired_state(), Verdict.MEMORY),
    ("a day old", heartbeat(started_at=ago(86_400)), desired_state(), Verdict.HEALTHY),
    ("more than a day old", heartbeat(started_at=ago(86_401)), desired_state(), Verdict.RECYCLE),
    ("older code", heartbeat(code_version="a"), desired_state(), Verdict.RECYCLE),
    ("same code", heartbeat(code_version="b"), desired_state(), Verdict.HEALTHY),
    ("code unknown", heartbeat(code_version=""), desired_state(), Verdict.HEALTHY),
    ("lags for ten minutes", heartbeat(backlog=9, lagging_since=ago(600)), desired_state(), Verdict.HEALTHY),
    ("lags for longer", heartbeat(backlog=9, lagging_since=ago(601)), desired_state(), Verdict.LAGGING),
    ("nine slow batches", heartbeat(slow_batches=9), desired_state(), Verdict.HEALTHY),
    ("ten slow batches", heartbeat(slow_batches=10), desired_state(), Verdict.SLOW),
    (
        "stalled comes before recycle",
        heartbeat(backlog=9, progress_at=ago(121), code_version="a"),
        desired_state(),
        "stalled",
    ),
    ("recycle comes before lagging", heartbeat(lagging_since=ago(601), code_version="a"), desired_state(), "recycle"),
]


@pytest.mark.parametrize(("last", "requested", "verdict"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_judge_gives_the_verdict(last: Heartbeat | None, requested: DesiredState, verdict: Verdict) -> None:
    assert judge(last, requested, NOON, POLICY) == verdict


def test_judge_is_tested_with_every_verdict_it_can_give() -> None:
    from_an_exit_code_only = {Verdict.SUPERSEDED}
    assert {Verdict(case[3]) for case in CASES} == set(Verdict) - from_an_exit_code_only


def test_a_quiet_stream_is_never_restarted() -> None:
    quiet = heartbeat(progress_at=ago(80_000), started_at=ago(80_000))
    assert judge(quiet, desired_state(), NOON, POLICY) not in ENDING


def test_verdicts_have_one_consequence_each() -> None:
    assert {
        Verdict.NEVER_STARTED,
        Verdict.DEAD_OR_FROZEN,
        Verdict.FAILED,
        Verdict.POISON_BATCH,
        Verdict.STALLED,
    } == RESTARTING
    assert {Verdict.MEMORY, Verdict.RECYCLE} == RECYCLING
    assert {Verdict.WAITING, Verdict.LAGGING, Verdict.SLOW} == WARNING
    assert not WARNING & ENDING


def test_back_off_grows_with_the_starts_in_a_row() -> None:
    assert [back_off_seconds(attempts) for attempts in range(9)] == [0, 0, 10, 30, 60, 120, 300, 300, 300]


@pytest.mark.parametrize(
    ("last", "is_stable"),
    [
        (None, False),
        (heartbeat(token="old", started_at=ago(100), progress_at=ago(30)), False),
        (heartbeat(started_at=ago(100), progress_at=None), False),
        (heartbeat(started_at=ago(100), progress_at=ago(70), backlog=9), True),
        (heartbeat(started_at=ago(100), progress_at=ago(71), backlog=9), False),  # no batch finished after that
        (heartbeat(started_at=ago(100), progress_at=ago(99), at=ago(1)), True),  # quiet, but alive
        (heartbeat(started_at=ago(31), progress_at=ago(30), at=ago(2)), False),
        (heartbeat(started_at=ago(100), progress_at=ago(99), at=ago(1), state=State.FAILED), False),
    ],
)
def test_a_driver_ran_stably_when_it_worked_for_half_a_minute(last: Heartbeat | None, is_stable: bool) -> None:
    assert ran_stably(last, desired_state()) is is_stable


@pytest.mark.parametrize(
    ("last", "before", "expected"),
    [
        (None, desired_state(), ("", 0)),
        (failed("q-7"), desired_state(), ("q-7", 1)),
        (failed("q-7"), desired_state(failed_batch="q-7", failed_count=1), ("q-7", 2)),
        (failed("q-8"), desired_state(failed_batch="q-7", failed_count=2), ("q-8", 1)),
        (
            heartbeat(started_at=ago(9)),
            desired_state(failed_batch="q-7", failed_count=2),
            ("q-7", 2),
        ),  # killed at its start: no new information
        (None, desired_state(failed_batch="q-7", failed_count=2), ("q-7", 2)),
        (
            heartbeat(started_at=ago(100), progress_at=ago(2)),
            desired_state(failed_batch="q-7", failed_count=2),
            ("", 0),
        ),
    ],
)
def test_failures_count_the_drivers_that_failed_on_one_batch_in_a_row(
    last: Heartbeat | None, before: DesiredState, expected: tuple[str, int]
) -> None:
    assert failures(last, before) == expected


@pytest.mark.parametrize(
    ("settings", "startup", "stale", "stalled"),
    [
        (Settings(_env_file=None), 120, 20, 120),
        (Settings(_env_file=None, target="gcp", project_id="shop"), 600, 180, 450),
        (Settings(_env_file=None, startup_seconds=7, stale_seconds=3, trigger_seconds=30), 7, 3, 150),
        (Settings(_env_file=None, stalled_seconds=45, trigger_seconds=30), 120, 20, 45),
    ],
    ids=["local", "gcp", "as set", "as set, too"],
)
def test_policy_takes_its_limits_from_the_settings(
    settings: Settings, startup: float, stale: float, stalled: float
) -> None:
    policy = Policy.of(settings)
    assert (policy.startup, policy.stale, policy.stalled, policy.max_age) == (startup, stale, stalled, 86_400)
