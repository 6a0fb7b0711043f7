"""The table of mart builds.

The watermark is the greatest `ingested_at` of the responses that the last build read, never the time of a clock.
Times of the future do not count: a build reads these rows again until their time has come.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from csat.bigquery.client import Warehouse
from csat.reporting.queries import LAST_BUILD

TABLE = "mart_builds"


@dataclass(frozen=True)
class BuildRecord:
    """One row of the table."""

    build_id: str
    status: Literal["succeeded", "partial"]
    is_full_refresh: bool
    started_at: datetime
    built_at: datetime
    build_seconds: float
    watermark_from: datetime | None
    watermark_to: datetime
    touched_dates: tuple[date, ...]
    latest_response_date: date
    accepted_count: int
    response_count: int
    model_count: int
    test_count: int

    def as_dict(self) -> dict[str, Any]:
        """The record in JSON's types."""
        record: dict[str, Any] = json.loads(json.dumps(asdict(self), default=lambda value: value.isoformat()))
        return record


def last_record(warehouse: Warehouse) -> BuildRecord | None:
    """The last build of all models."""
    rows = LAST_BUILD.rows(warehouse)
    if not rows:
        return None
    row = rows[0]
    moments = {name: value.astimezone(UTC) for name, value in row.items() if isinstance(value, datetime)}
    return BuildRecord(**{**row, **moments, "touched_dates": tuple(row["touched_dates"])})
