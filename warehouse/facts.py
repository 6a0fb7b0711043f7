"""What a look at the pipeline knows, and the limits that it is held to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from csat.alerts import AlertKey
from csat.health import Control, Health, Policy
from csat.settings import LOAD_JOBS_A_DAY, MIN_FREE_BYTES, Settings


@dataclass(frozen=True)
class Missing:
    """A fact that could not be had. Without an alert there is none to be had in this place."""

    reason: str
    alert: AlertKey | None = None


@dataclass(frozen=True)
class StreamFacts:
    """The stream's two documents."""

    control: Control | None
    health: Health | None

    @property
    def own_health(self) -> Health | None:
        """What the driver said that `control` names."""
        is_own = self.health is not None and self.control is not None and self.health.token == self.control.token
        return self.health if is_own else None


@dataclass(frozen=True)
class KafkaFacts:
    """Messages behind the last committed batch: all of them, and those older than the limit of the landing table."""

    backlog: int
    overdue: int


@dataclass(frozen=True)
class LandingFacts:
    """The records of the last hour. `lost` is None where rows may be in partitions that were not searched now."""

    newest_at: datetime | None
    records: int
    rejected: int
    lost: int | None
    duplicated: int


@dataclass(frozen=True)
class MartFacts:
    """When the last build was, and since when the oldest accepted row waits for the next one."""

    built_at: datetime | None
    waiting_since: datetime | None


@dataclass(frozen=True)
class RunFacts:
    """The runs of the DAG run_stream."""

    is_paused: bool
    active_count: int
    ended_at: datetime | None


@dataclass(frozen=True)
class Facts:
    """All that one look knows."""

    now: datetime
    stream: StreamFacts | Missing
    kafka: KafkaFacts | Missing
    landing: LandingFacts | Missing
    marts: MartFacts | Missing
    load_jobs: int | Missing  # into the landing table, in the last 24 hours
    airflow: Mapping[str, str] | Missing  # status by component, in Airflow's words
    run: RunFacts | Missing
    free_bytes: int | Missing


@dataclass(frozen=True)
class Limits:
    """What is still well."""

    policy: Policy
    landing: timedelta
    backlog: int
    marts: timedelta = timedelta(minutes=15)
    reject_share: float = 0.05
    reject_count: int = 20  # fewer say nothing
    load_jobs: int = LOAD_JOBS_A_DAY
    load_job_share: float = 0.8
    free_bytes: int = MIN_FREE_BYTES

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that follow from the settings."""
        policy = Policy.of(settings)
        return cls(policy, timedelta(seconds=policy.stalled), backlog=5 * settings.max_offsets_per_trigger)
