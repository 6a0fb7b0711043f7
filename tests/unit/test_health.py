"""The judgement of the stream and the back-off, each verdict from literals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.health import (
    ENDING,
    RECYCLING,
    RESTARTING,
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
from csat.settings import Settings

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
POLICY = Policy(
    startup=120, stale=20, stalled=120, lagging=600, slow_batches=10, memory_beats=5, max_age=86_400, code_version="b"
)


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def control(**changed: Any) -> Control:
    return Control.model_validate({"token": "new", "desired": "run", "reason": "", "at": ago(3600)} | changed)


def health(**changed: Any) -> Health:
    """A driver that runs well: an hour old, beat and batch a second ago."""
    well = {"token": "new", "driver_id": "d", "state": State.RUNNING, "at": ago(1), "started_at": ago(3600)}
    return Health.model_validate(well | {"progress_at": ago(1)} | changed)


def failed(batch: str, **changes: Any) -> Health:
    return health(state=State.FAILED, failed_batch=batch, **changes)


CASES = [
    ("no document, within the start-up time", None, control(at=ago(120)), Verdict.STARTING),
    ("no document, past the start-up time", None, control(at=ago(121)), Verdict.NEVER_STARTED),
    ("another life's failure", health(token="old", state=State.FAILED), control(at=ago(1)), Verdict.STARTING),
    ("another life's good health", health(token="old"), control(at=ago(121)), Verdict.NEVER_STARTED),
    ("first beat", health(state=State.STARTING, started_at=ago(120)), control(), Verdict.STARTING),
    ("starts for too long", health(state=State.STARTING, started_at=ago(121)), control(), Verdict.NEVER_STARTED),
    ("one beat so far", health(state=State.STARTING, at=ago(21), started_at=ago(21)), control(), Verdict.STARTING),
    ("beat at the limit", health(at=ago(20)), control(), Verdict.HEALTHY),
    ("beat past the limit", health(at=ago(20.1)), control(), Verdict.DEAD_OR_FROZEN),
    ("beat ahead of time at the limit", health(at=ago(-20)), control(), Verdict.HEALTHY),
    ("beat of another time", health(at=ago(-21)), control(), Verdict.DEAD_OR_FROZEN),
    ("query failed", health(state=State.FAILED, error="no"), control(), Verdict.FAILED),
    ("query failed long ago", health(state=State.FAILED, at=ago(999)), control(), Verdict.FAILED),
    ("failed on a second batch", failed("q-7"), control(failed_batch="q-6", failed_count=2), Verdict.FAILED),
    ("failed twice on a batch", failed("q-7"), control(failed_batch="q-7", failed_count=1), Verdict.FAILED),
    ("failed a third time", failed("q-7"), control(failed_batch="q-7", failed_count=2), Verdict.POISON_BATCH),
    ("stopped as told", health(state=State.STOPPED), control(desired="stop"), Verdict.STOPPED),
    ("stopped long ago", health(state=State.STOPPED, at=ago(999)), control(), Verdict.STOPPED),
    ("backlog, batch at the limit", health(backlog=9, progress_at=ago(120)), control(), Verdict.HEALTHY),
    ("backlog, no batch", health(backlog=9, progress_at=ago(121)), control(), Verdict.STALLED),
    ("backlog, never a batch", health(backlog=9, progress_at=None), control(), Verdict.STALLED),
    (
        "backlog, the batch held for a load job",
        health(backlog=9, progress_at=ago(3000), held_until=ago(-600)),
        control(),
        Verdict.HEALTHY,
    ),
    (
        "backlog, the batch held until a while ago",
        health(backlog=9, progress_at=ago(3000), held_until=ago(120)),
        control(),
        Verdict.HEALTHY,
    ),
    (
        "backlog, no batch since it is held no more",
        health(backlog=9, progress_at=ago(3000), held_until=ago(121)),
        control(),
        Verdict.STALLED,
    ),
    ("held an hour ago, a batch since", health(backlog=9, held_until=ago(3000)), control(), Verdict.HEALTHY),
    ("held, and frozen", health(backlog=9, at=ago(21), held_until=ago(-600)), control(), Verdict.DEAD_OR_FROZEN),
    ("no backlog, no batch for an hour", health(progress_at=ago(3600)), control(), Verdict.IDLE),
    ("no backlog, never a batch", health(progress_at=None), control(), Verdict.IDLE),
    ("no backlog, a batch just now", health(progress_at=ago(20)), control(), Verdict.HEALTHY),
    ("memory high for four beats", health(memory_high_beats=4), control(), Verdict.HEALTHY),
    ("memory high for five beats", health(memory_high_beats=5), control(), Verdict.MEMORY),
    ("a day old", health(started_at=ago(86_400)), control(), Verdict.HEALTHY),
    ("more than a day old", health(started_at=ago(86_401)), control(), Verdict.RECYCLE),
    ("older code", health(code_version="a"), control(), Verdict.RECYCLE),
    ("same code", health(code_version="b"), control(), Verdict.HEALTHY),
    ("code unknown", health(code_version=""), control(), Verdict.HEALTHY),
    ("lags for ten minutes", health(backlog=9, lagging_since=ago(600)), control(), Verdict.HEALTHY),
    ("lags for longer", health(backlog=9, lagging_since=ago(601)), control(), Verdict.LAGGING),
    ("nine slow batches", health(slow_batches=9), control(), Verdict.HEALTHY),
    ("ten slow batches", health(slow_batches=10), control(), Verdict.SLOW),
    ("stalled comes before recycle", health(backlog=9, progress_at=ago(121), code_version="a"), control(), "stalled"),
    ("recycle comes before lagging", health(lagging_since=ago(601), code_version="a"), control(), "recycle"),
]


@pytest.mark.parametrize(("seen", "wanted", "verdict"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_judge_gives_the_verdict(seen: Health | None, wanted: Control, verdict: Verdict) -> None:
    assert judge(seen, wanted, NOON, POLICY) == verdict


def test_judge_is_tested_with_every_verdict_it_can_give() -> None:
    from_an_exit_code_only = {Verdict.SUPERSEDED}
    assert {Verdict(case[3]) for case in CASES} == set(Verdict) - from_an_exit_code_only


def test_a_quiet_stream_is_never_restarted() -> None:
    quiet = health(progress_at=ago(80_000), started_at=ago(80_000))
    assert judge(quiet, control(), NOON, POLICY) not in ENDING


def test_verdicts_have_one_consequence_each() -> None:
    assert {
        Verdict.NEVER_STARTED,
        Verdict.DEAD_OR_FROZEN,
        Verdict.FAILED,
        Verdict.POISON_BATCH,
        Verdict.STALLED,
    } == RESTARTING
    assert {Verdict.MEMORY, Verdict.RECYCLE} == RECYCLING
    assert {Verdict.LAGGING, Verdict.SLOW} == WARNING
    assert not WARNING & ENDING


def test_back_off_grows_with_the_starts_in_a_row() -> None:
    assert [back_off_seconds(attempts) for attempts in range(9)] == [0, 0, 10, 30, 60, 120, 300, 300, 300]


@pytest.mark.parametrize(
    ("document", "is_well"),
    [
        (None, False),
        (health(token="old", started_at=ago(100), progress_at=ago(30)), False),
        (health(started_at=ago(100), progress_at=None), False),
        (health(started_at=ago(100), progress_at=ago(70), backlog=9), True),
        (health(started_at=ago(100), progress_at=ago(71), backlog=9), False),  # then no batch ended
        (health(started_at=ago(100), progress_at=ago(99), at=ago(1)), True),  # quiet, but there
        (health(started_at=ago(31), progress_at=ago(30), at=ago(2)), False),
        (health(started_at=ago(100), progress_at=ago(99), at=ago(1), state=State.FAILED), False),
    ],
)
def test_driver_lived_well_when_it_did_its_work_for_half_a_minute(document: Health | None, is_well: bool) -> None:
    assert lived_well(document, control()) is is_well


@pytest.mark.parametrize(
    ("document", "before", "expected"),
    [
        (None, control(), ("", 0)),
        (failed("q-7"), control(), ("q-7", 1)),
        (failed("q-7"), control(failed_batch="q-7", failed_count=1), ("q-7", 2)),
        (failed("q-8"), control(failed_batch="q-7", failed_count=2), ("q-8", 1)),
        (
            health(started_at=ago(9)),
            control(failed_batch="q-7", failed_count=2),
            ("q-7", 2),
        ),  # killed at its start: nothing learnt
        (None, control(failed_batch="q-7", failed_count=2), ("q-7", 2)),
        (
            health(started_at=ago(100), progress_at=ago(2)),
            control(failed_batch="q-7", failed_count=2),
            ("", 0),
        ),
    ],
)
def test_failures_count_the_drivers_that_failed_on_one_batch_in_a_row(
    document: Health | None, before: Control, expected: tuple[str, int]
) -> None:
    assert failures(document, before) == expected


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
