"""Checks of the marts and the platform. Each takes its facts, the time and the limits."""

from collections.abc import Mapping
from datetime import datetime

from csat.contract.alerts import AlertKey, Severity
from csat.monitoring.facts import Limits, MartFacts
from csat.monitoring.finding import Finding, since, within

_ALMOST_NONE_LEFT = 0.95


def marts_freshness(marts: MartFacts, now: datetime, limits: Limits) -> Finding:
    """How long the oldest landed row has waited for the marts."""
    built = f"last build {since(marts.built_at, now)}" if marts.built_at else "never built"
    if marts.waiting_since is None:
        return Finding(f"every row is in the marts, {built}", value=0)
    waiting = now - marts.waiting_since
    text = f"the oldest new row landed {since(marts.waiting_since, now)}, {built}"
    if waiting > limits.marts:
        text = f"{text}: more than {within(limits.marts)}"
        return Finding(text, AlertKey.MARTS_STALE, value=waiting.total_seconds())
    return Finding(text, value=waiting.total_seconds())


def airflow_components(airflow: Mapping[str, str], now: datetime, limits: Limits) -> Finding:
    """Whether every component of Airflow has a recent heartbeat."""
    unhealthy = [f"{name} is {status}" for name, status in sorted(airflow.items()) if status != "healthy"]
    if unhealthy:
        return Finding(", ".join(unhealthy), AlertKey.AIRFLOW_UNHEALTHY, value=len(unhealthy))
    return Finding(f"{', '.join(sorted(airflow))} are healthy", value=0)


def load_job_quota(count: int, now: datetime, limits: Limits) -> Finding:
    """How much of the table's daily load job quota is used."""
    text = f"{count:,} of {limits.load_jobs:,} load jobs in 24 hours"
    if count < limits.load_job_share * limits.load_jobs:
        return Finding(text, value=count)
    severity = Severity.CRITICAL if count >= _ALMOST_NONE_LEFT * limits.load_jobs else Severity.WARNING
    return Finding(text, AlertKey.LOAD_JOB_QUOTA_LOW, severity, value=count)


def disk_space(free_bytes: int, now: datetime, limits: Limits) -> Finding:
    """Free disk space for staging files."""
    text = f"{free_bytes / 1024**3:.1f} GiB free"
    if free_bytes < limits.free_bytes:
        text = f"{text}, less than {limits.free_bytes / 1024**3:.0f} GiB"
        return Finding(text, AlertKey.DISK_SPACE_LOW, value=free_bytes)
    return Finding(text, value=free_bytes)
