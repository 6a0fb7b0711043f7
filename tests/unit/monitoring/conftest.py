"""The facts of a healthy pipeline, and the limits for its checks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from csat.control.verdict import DesiredState, Heartbeat, Policy, State
from csat.kafka.lag import KafkaFacts
from csat.kafka.topic import TopicFacts
from csat.monitoring.facts import Facts, LandingFacts, Limits, MartFacts, RunFacts, StreamFacts

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
POLICY = Policy(startup=120, stale=20, stalled=120, lagging=600, slow_batches=10, memory_heartbeats=5, max_age=86_400)
LIMITS = Limits(POLICY, timedelta(seconds=120), backlog=1000)


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def stream(desired_state: dict[str, Any] | None = None, **heartbeat: Any) -> StreamFacts:
    """A driver an hour old whose heartbeat and last batch are a second old, with changes."""
    wanted = {"token": "t1", "desired": "run", "reason": "test", "at": ago(3600)} | (desired_state or {})
    well = {"token": "t1", "driver_id": "d", "state": State.RUNNING, "at": ago(1), "started_at": ago(3600)}
    reported = well | {"progress_at": ago(1), "batch_id": 7} | heartbeat
    return StreamFacts(DesiredState.model_validate(wanted), Heartbeat.model_validate(reported))


HEALTHY = Facts(
    now=NOON,
    stream=stream(),
    kafka=KafkaFacts(backlog=10, overdue=0),
    topic=TopicFacts("LogAppendTime", "delete", retention_ms=604_800_000),
    landing=LandingFacts(newest_at=ago(5), records=1000, rejected=10, lost=0, duplicated=0),
    marts=MartFacts(built_at=ago(600), waiting_since=ago(60)),
    load_jobs=100,
    airflow={"metadatabase": "healthy", "scheduler": "healthy", "dag_processor": "healthy", "triggerer": "healthy"},
    run=RunFacts(is_paused=False, active_count=1, ended_at=None),
    free_bytes=50 * 1024**3,
)


@pytest.fixture
def make_facts() -> Callable[..., Facts]:
    """Makes the facts of a healthy pipeline, with changes."""
    return lambda **changes: replace(HEALTHY, **changes)
