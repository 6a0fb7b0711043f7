"""`csat erase`: erases a customer in the landing table and rebuilds the dates in the marts, as the only build."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import batched
from typing import Any

from csat.bigquery import erasures
from csat.bigquery.client import Warehouse
from csat.bigquery.erasures import ErasedId
from csat.bigquery.landing_migration import COMMAND, COPY, OLD
from csat.bigquery.query import Rows
from csat.bigquery.tables import find_table
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.marts.build import run_plan, to_stderr
from csat.marts.build_lock import LOCK_WAIT_SECONDS
from csat.marts.dbt_process import Progress
from csat.marts.exclusive import exclusive_build
from csat.marts.plans import MAX_DATES, latest_date, plan_rebuild


@dataclass(frozen=True)
class Erasure:
    """The messages that name an id and are not erased, and with `dates` the dates that were rebuilt."""

    which: ErasedId
    accepted_count: int
    rejected_count: int
    is_repeated: bool = False
    dates: tuple[date, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The result in JSON's types."""
        return {
            "status": "partial" if self.dates else "nothing new",  # as a build's, for who publishes the marts
            "accepted": self.accepted_count,
            "rejected": self.rejected_count,
            "erased_before": self.is_repeated,
            "dates": [day.isoformat() for day in self.dates],
            "id_hash": self.which.id_hash,
        }


def find(warehouse: Warehouse, which: ErasedId) -> Erasure:
    """What an erasure of this id would erase; changes nothing. Raises CsatError where no message names it."""
    return _find(warehouse, which, erasures.related_hashes(warehouse, which))


def erase(
    settings: Settings,
    which: ErasedId,
    reason: str,
    *,
    on_progress: Progress | None = None,
    lock_wait_seconds: float = LOCK_WAIT_SECONDS,
) -> Erasure:
    """Erase what names this id, and rebuild its dates; safe to repeat, which completes an interrupted call.

    Raises CsatError where no message names it, and as a build does.
    """
    with exclusive_build(settings, on_progress or to_stderr, lock_wait_seconds) as exclusive:
        warehouse = exclusive.warehouse
        id_hashes = erasures.related_hashes(warehouse, which)
        found = _find(warehouse, which, id_hashes)
        erasures.erase_messages(warehouse, id_hashes, reason)
        exclusive.progress(f"Erased {found.accepted_count} accepted and {found.rejected_count} rejected messages.")
        latest = latest_date(warehouse)  # no mart has a later one
        dates = tuple(day for day in erasures.erased_dates(warehouse, which) if day <= latest)
        for some in batched(dates, MAX_DATES):  # from all rows: what is in the marts has the erased ids
            plan = plan_rebuild(warehouse, some)
            if not plan.is_empty:
                run_plan(exclusive, plan, status="partial")
    return Erasure(which, found.accepted_count, found.rejected_count, found.is_repeated, dates)


def _find(warehouse: Warehouse, which: ErasedId, id_hashes: Sequence[str]) -> Erasure:
    for name in (OLD, COPY):
        if find_table(warehouse, warehouse.settings.table("raw", name)):
            raise CsatError(f"{name} has messages, too", f"complete the migration: `{COMMAND} --delete-old`")
    found = _found(which, erasures.naming_messages(warehouse, id_hashes))
    if found.accepted_count + found.rejected_count:
        return found
    if not erasures.is_erased(warehouse, which):
        raise CsatError(f"no message names this {which.kind}", "name the id as the source system has it")
    return Erasure(which, 0, 0, is_repeated=True)


def _found(which: ErasedId, rows: Rows) -> Erasure:
    places = {
        (row["kafka_topic"], row["kafka_topic_id"], row["kafka_partition"], row["kafka_offset"]): row["is_accepted"]
        for row in rows
    }
    accepted = sum(places.values())
    return Erasure(which, accepted, len(places) - accepted)
