"""What one check finds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from csat.contract.alerts import AlertKey, Severity


@dataclass(frozen=True)
class Finding:
    """No alert means healthy, and proven to be unless `is_proof` is false."""

    detail: str
    alert: AlertKey | None = None
    severity: Severity | None = None  # None: the alert's own
    value: float | None = None
    is_proof: bool = True


def since(moment: datetime, now: datetime) -> str:
    """Time since `moment` as text: "41 s ago", "12 min ago", "3 h ago"."""
    seconds = max(0.0, (now - moment).total_seconds())
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 7200 else f"{seconds / 3600:.0f} h ago"


def within(limit: timedelta) -> str:
    """A limit as text."""
    seconds = limit.total_seconds()
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"
