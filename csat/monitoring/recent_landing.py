"""What landed in the last hour, read from the newest partitions, so that a check every five minutes stays cheap.

A gap between landed offsets may be no loss: a transaction's marker, an aborted record, or a loss that was accepted.
Finding that out reads Kafka, so gaps are examined at most once an hour. `csat check completeness`, run daily by the DAG
maintain, proves the whole table.
"""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from csat.bigquery.client import Warehouse
from csat.bigquery.positions import accepted_gaps, missing_offsets
from csat.bigquery.query import Query
from csat.contract.ages import age
from csat.contract.kafka_access import KafkaAccessError
from csat.marts.builds import last_record
from csat.monitoring.completeness import no_loss
from csat.monitoring.facts import LandingFacts, MartFacts

logger = logging.getLogger(__name__)

RECENT = timedelta(days=2)
WINDOW = timedelta(hours=1)
EXAMINED_WINDOW = 2 * WINDOW  # examinations are an hour apart: this leaves nothing out
EXAMINE_EVERY = timedelta(hours=1)
_ALWAYS = datetime.min.replace(tzinfo=UTC)

_LANDED = Query.read(__file__, "landed_rows")
_WAITING = Query.read(__file__, "waiting_rows")


@dataclass(frozen=True)
class Landing:
    """The facts, and when gaps were last examined."""

    facts: LandingFacts
    examined_at: datetime | None


def recent_landing(warehouse: Warehouse, now: datetime, examined_at: datetime | None) -> Landing:
    """What landed in the last hour. Raises WarehouseError."""
    facts = summed(_LANDED.rows(warehouse, since=now - WINDOW, until=now))
    if not facts.lost:
        return Landing(facts, examined_at)
    if examined_at is not None and age(examined_at, now) < EXAMINE_EVERY:
        return Landing(replace(facts, lost=None), examined_at)
    lost = _lost(warehouse, now)
    return Landing(replace(facts, lost=lost), examined_at if lost is None else now)


def _lost(warehouse: Warehouse, now: datetime) -> int | None:
    """Records that are missing beside rows of the examined window; None where Kafka is unreachable: it has an alert.

    What may be no loss counts as none.
    """
    gaps, accepted = missing_offsets(warehouse, now - EXAMINED_WINDOW, now), accepted_gaps(warehouse)
    try:
        found = no_loss(warehouse.settings, gaps, accepted)
    except KafkaAccessError as error:
        logger.warning("%s", error)
        return None
    return sum(gap.count for gap in gaps) - found.without_record - found.deleted


def summed(rows: list[dict[str, Any]]) -> LandingFacts:
    """The facts of all Kafka partitions together; a gap between two landed offsets counts as lost."""
    records, distinct = (sum(row[name] for row in rows) for name in ("record_count", "distinct_offsets"))
    return LandingFacts(
        newest_at=max((row["newest_at"] for row in rows), default=None),
        records=records,
        rejected=sum(row["rejected_count"] for row in rows),
        lost=records - distinct,
        duplicated=sum(row["row_count"] for row in rows) - distinct,
    )


def mart_facts(warehouse: Warehouse, now: datetime) -> MartFacts:
    """When the marts were built, and since when a new row has waited. Raises WarehouseError."""
    record = last_record(warehouse)
    watermark = record.watermark_to if record else _ALWAYS
    [row] = _WAITING.rows(warehouse, watermark=watermark, recent=now - RECENT)
    return MartFacts(record.built_at if record else None, row["waiting_since"])
