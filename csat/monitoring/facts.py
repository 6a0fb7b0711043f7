"""The facts that a health check judges, and the limits it judges them by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from csat.contract.alerts import AlertKey
from csat.contract.settings import LOAD_JOBS_A_DAY, MIN_FREE_BYTES, Settings
from csat.control.verdict import DesiredState, Heartbeat, Policy
from csat.kafka.lag import KafkaFacts
from csat.kafka.topic import TopicFacts


@dataclass(frozen=True)
class Missing:
    """A fact that could not be collected. Without an alert, it does not exist in this deployment."""

    reason: str
    alert: AlertKey | None = None


@dataclass(frozen=True)
class StreamFacts:
    """The stream's two state files."""

    desired_state: DesiredState | None
    heartbeat: Heartbeat | None

    @property
    def own_heartbeat(self) -> Heartbeat | None:
        """The heartbeat, if it is of the driver that `desired_state` names."""
        is_own = (
            self.heartbeat is not None
            and self.desired_state is not None
            and self.heartbeat.token == self.desired_state.token
        )
        return self.heartbeat if is_own else None


@dataclass(frozen=True)
class LandingFacts:
    """The messages of the last hour. `lost` is None if there are gaps that were not examined."""

    newest_at: datetime | None
    records: int
    rejected: int
    lost: int | None
    duplicated: int


@dataclass(frozen=True)
class MartFacts:
    """Time of the last build, and since when the oldest accepted row has waited for the next one."""

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
    """The facts of one health check run."""

    now: datetime
    stream: StreamFacts | Missing
    kafka: KafkaFacts | Missing
    topic: TopicFacts | Missing
    landing: LandingFacts | Missing
    marts: MartFacts | Missing
    load_jobs: int | Missing  # into the landing table, in the last 24 hours
    airflow: Mapping[str, str] | Missing  # status by component, as Airflow reports it
    run: RunFacts | Missing
    free_bytes: int | Missing


@dataclass(frozen=True)
class Limits:
    """What still counts as healthy."""

    policy: Policy
    landing: timedelta
    backlog: int
    marts: timedelta = timedelta(minutes=15)
    reject_rate: float = 0.05
    reject_count: int = 20  # fewer are not significant
    load_jobs: int = LOAD_JOBS_A_DAY
    load_job_share: float = 0.8
    free_bytes: int = MIN_FREE_BYTES

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that follow from the settings."""
        policy = Policy.of(settings)
        return cls(policy, timedelta(seconds=policy.stalled), backlog=5 * settings.max_offsets_per_trigger)
