"""The age of the newest landed row, graded by the freshness limits of the dbt source."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import yaml

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query
from csat.contract.settings import ROOT

_SOURCES = ROOT / "dbt" / "models" / "staging" / "_landing.yml"
# Only the newest partitions are read.
_RECENT = timedelta(days=2)
_NEWEST = Query.read(__file__, "newest_row")


@dataclass(frozen=True)
class Freshness:
    """The newest row, and dbt's grade of its age. No row: nothing has landed in the last two days."""

    status: Literal["pass", "warn", "error"]
    newest_ingested_at: datetime | None
    age_seconds: float | None

    @property
    def warning(self) -> str | None:
        """The warning for a stale source; None where it is fresh."""
        if self.status == "pass":
            return None
        age = f"{self.age_seconds / 60:.0f} minutes old" if self.age_seconds is not None else "days old"
        return f"the newest landed row is {age}: the marts cannot be fresher. `csat check health` shows the cause."

    def as_dict(self) -> dict[str, Any]:
        """The freshness in JSON's types."""
        newest = self.newest_ingested_at.isoformat() if self.newest_ingested_at else None
        return {"status": self.status, "newest_ingested_at": newest, "age_seconds": self.age_seconds}


def source_freshness(warehouse: Warehouse, now: datetime | None = None) -> Freshness:
    """The freshness of the landing table. Raises WarehouseError."""
    now = now or datetime.now(UTC)
    [newest] = _NEWEST.rows(warehouse, recent=now - _RECENT)
    return grade(newest["newest_ingested_at"], now)


def grade(newest: datetime | None, now: datetime) -> Freshness:
    """The freshness of a source whose newest row has this time."""
    limits = _limits()
    if newest is None:
        return Freshness("error", None, None)
    age = now - newest
    status: Literal["pass", "warn", "error"] = "pass"
    if age > limits["error_after"]:
        status = "error"
    elif age > limits["warn_after"]:
        status = "warn"
    return Freshness(status, newest, round(age.total_seconds(), 1))


def _limits() -> dict[str, timedelta]:
    [source] = yaml.safe_load(_SOURCES.read_text())["sources"]
    [table] = source["tables"]
    limits = table["config"]["freshness"]
    return {name: timedelta(**{f"{limit['period']}s": limit["count"]}) for name, limit in limits.items()}
