"""What one check says of its facts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from csat.alerts import AlertKey, Severity


@dataclass(frozen=True)
class Finding:
    """No alert: all is well, and proved to be, unless `is_proof` says otherwise."""

    detail: str
    alert: AlertKey | None = None
    severity: Severity | None = None  # None: the alert's own
    value: float | None = None
    is_proof: bool = True


def since(moment: datetime, now: datetime) -> str:
    """How long ago, for people: "41 s ago", "12 min ago", "3 h ago"."""
    seconds = max(0.0, (now - moment).total_seconds())
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 7200 else f"{seconds / 3600:.0f} h ago"


def within(limit: timedelta) -> str:
    """A limit, for people."""
    seconds = limit.total_seconds()
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"
