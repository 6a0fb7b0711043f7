"""The facts of a pipeline that is well, and the limits it is held to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.health import Control, Health, Policy, State
from warehouse.facts import Facts, KafkaFacts, LandingFacts, Limits, MartFacts, RunFacts, StreamFacts

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
POLICY = Policy(startup=120, stale=20, stalled=120, lagging=600, slow_batches=10, memory_beats=5, max_age=86_400)
LIMITS = Limits(POLICY, timedelta(seconds=120), backlog=1000)


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def stream(control: dict[str, Any] | None = None, **health: Any) -> StreamFacts:
    """A driver an hour old that beat and ended a batch a second ago, with changes."""
    wanted = {"token": "t1", "desired": "run", "reason": "test", "at": ago(3600)} | (control or {})
    well = {"token": "t1", "driver_id": "d", "state": State.RUNNING, "at": ago(1), "started_at": ago(3600)}
    said = well | {"progress_at": ago(1), "batch_id": 7} | health
    return StreamFacts(Control.model_validate(wanted), Health.model_validate(said))


WELL = Facts(
    now=NOON,
    stream=stream(),
    kafka=KafkaFacts(backlog=10, overdue=0),
    landing=LandingFacts(newest_at=ago(5), records=1000, rejected=10, lost=0, duplicated=0),
    marts=MartFacts(built_at=ago(600), waiting_since=ago(60)),
    load_jobs=100,
    airflow={"metadatabase": "healthy", "scheduler": "healthy", "dag_processor": "healthy", "triggerer": "healthy"},
    run=RunFacts(is_paused=False, active_count=1, ended_at=None),
    free_bytes=50 * 1024**3,
)


@pytest.fixture
def make_facts() -> Callable[..., Facts]:
    """Makes the facts of a pipeline that is well, with changes."""
    return lambda **changes: replace(WELL, **changes)
