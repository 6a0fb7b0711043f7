"""Moves a landing table that has the partitions of an earlier release into one that is partitioned as today's.

BigQuery cannot change the partitions of a table. Its rows are copied into a second table, compared, and the two swap
names. Each step is decided by the tables that exist, so that a call after a kill continues: a copy is made by one
statement, which replaces an earlier one, and the old table keeps its rows until somebody deletes it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import bigquery

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query
from csat.bigquery.tables import create_landing_table, create_table, find_table, landing_table
from csat.contract import landing
from csat.contract.ages import age
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.control.state_files import StateFiles
from csat.control.verdict import Policy, State

COPY = f"{landing.TABLE}_copy"
OLD = f"{landing.TABLE}_old"
COMMAND = "csat migrate-landing"
_JOB_SECONDS = 6 * 3_600  # BigQuery's own limit
_COMPARED = Query.read(__file__, "compared_rows")


@dataclass(frozen=True)
class Migration:
    """The rows of the landing table, and whether the old table was moved now and is still there."""

    rows: int
    is_moved: bool
    has_old_table: bool

    def as_dict(self) -> dict[str, Any]:
        """The result in JSON's types."""
        return {"rows": self.rows, "moved": self.is_moved, "old_table": OLD if self.has_old_table else None}


def problem(warehouse: Warehouse) -> CsatError | None:
    """Why the landing table must be migrated before it is used; None where it need not be, or does not exist."""
    found = _table(warehouse, landing.TABLE)
    if found is None and _table(warehouse, OLD) is None:
        return None
    if found is None:
        return CsatError(f"The migration of {landing.TABLE} was interrupted", f"run `{COMMAND}`")
    if _is_current(found):
        return None
    by = found.time_partitioning.field if found.time_partitioning else "nothing"
    return CsatError(
        f"{landing.TABLE} is partitioned by {by}, not by {landing.PARTITION_COLUMN}",
        f"stop the stream, run `{COMMAND}`",
    )


def require_current(warehouse: Warehouse) -> None:
    """Raise CsatError if the landing table must be migrated before it is used."""
    if found := problem(warehouse):
        raise found


def migrate(warehouse: Warehouse, on_progress: Callable[[str], None], now: datetime) -> Migration:
    """Move the landing table's rows into one that is partitioned as today's; safe to call at any time, and again.

    Raises CsatError while a stream runs, where there is no landing table, and where a comparison of the rows fails.
    """
    table, old = _table(warehouse, landing.TABLE), _table(warehouse, OLD)
    if table is not None and _is_current(table):
        if old is not None and _table(warehouse, COPY) is not None:
            raise CsatError(
                f"{landing.TABLE} was created while its rows were in {OLD}",
                "delete it if it is empty, and run it again",
            )
        return Migration(table.num_rows, is_moved=False, has_old_table=old is not None)
    require_no_driver(warehouse.settings, now)
    if table is not None:
        _move_aside(warehouse, table, old, on_progress)
    elif old is None:
        raise CsatError(
            f"there is no table {landing.TABLE}", "`csat up` creates it, on Google Cloud `make cloud-apply`"
        )
    # From here on nothing lands: load jobs name a table that does not exist
    if _table(warehouse, COPY) is None or _rows(warehouse, COPY) != _rows(warehouse, OLD):
        _copy(warehouse, OLD, on_progress)
    create_table(warehouse, landing_table(warehouse.settings, COPY))  # it exists: this adds the columns of this release
    on_progress(f"renaming {COPY} to {landing.TABLE}")
    _rename(warehouse, COPY, landing.TABLE)
    return Migration(_count(_rows(warehouse, landing.TABLE)), is_moved=True, has_old_table=True)


def create_or_migrate(warehouse: Warehouse, on_progress: Callable[[str], None]) -> None:
    """Create the landing table where it is missing; migrate one of an earlier release. Raises CsatError."""
    if problem(warehouse):
        migrate(warehouse, on_progress, datetime.now(UTC))
        on_progress(f"the table before the migration is kept as {OLD}: `{COMMAND} --delete-old` deletes it")
    create_landing_table(warehouse)


def delete_old(warehouse: Warehouse) -> None:
    """Delete the old table. Raises CsatError where the landing table does not have all of its rows."""
    require_current(warehouse)
    if _table(warehouse, OLD) is None:
        raise CsatError(f"there is no table {OLD}: nothing is left to delete")
    [last] = warehouse.rows(f"select max(ingested_at) as newest_at from `{warehouse.settings.table('raw', OLD)}`")
    newest_at = last["newest_at"] or datetime(1970, 1, 1, tzinfo=UTC)  # null where it has no rows
    if _rows(warehouse, landing.TABLE, newest_at) != _rows(warehouse, OLD):
        raise CsatError(f"{landing.TABLE} does not have the rows of {OLD}", "compare both, and keep the old table")
    options = {"retry": warehouse.retry, "timeout": warehouse.settings.bigquery_timeout_seconds}
    with warehouse.errors():
        warehouse.client.delete_table(warehouse.settings.table("raw", OLD), **options)


def require_no_driver(settings: Settings, now: datetime) -> None:
    """Raise CsatError while a driver of the stream runs or starts."""
    heartbeat = StateFiles(settings.state_files).heartbeat()
    if heartbeat is None or heartbeat.state not in (State.STARTING, State.RUNNING):
        return
    policy = Policy.of(settings)
    limit = timedelta(seconds=policy.startup if heartbeat.state is State.STARTING else policy.stale)
    if age(heartbeat.at, now, limit) <= limit:
        raise CsatError(
            "the stream runs", "pause the DAG run_stream, mark its run as failed, and run it again a minute later"
        )


def copy_statement(settings: Settings, source: str, fields: Sequence[bigquery.SchemaField]) -> str:
    """The statement that makes the copy of a table with these columns; it replaces one that an earlier call left."""
    columns = ",\n".join(f"    {_column(field)}" for field in fields)
    names = ", ".join(field.name for field in fields)
    return (
        f"create or replace table `{settings.table('raw', COPY)}` (\n{columns}\n)\n"
        f"partition by date({landing.PARTITION_COLUMN})\ncluster by {', '.join(landing.CLUSTER_COLUMNS)}\n"
        f"as (select {names} from `{settings.table('raw', source)}`)"
    )


def rename_statement(settings: Settings, name: str, other: str) -> str:
    """The statement that gives a table another name."""
    return f"alter table `{settings.table('raw', name)}` rename to {other}"


def _column(field: bigquery.SchemaField) -> str:
    size = f"({field.precision}, {field.scale})" if field.precision else ""
    return f"{field.name} {field.field_type}{size} options (description = {json.dumps(field.description or '')})"


def _move_aside(
    warehouse: Warehouse, table: bigquery.Table, old: bigquery.Table | None, on_progress: Callable[[str], None]
) -> None:
    """Copy the table and check the copy; only then give the table its other name."""
    if old is not None:
        raise CsatError(f"both {landing.TABLE} and {OLD} are there", f"delete {OLD} if you have checked it")
    _copy(warehouse, landing.TABLE, on_progress)
    on_progress(f"renaming {landing.TABLE} to {OLD}")
    _rename(warehouse, landing.TABLE, OLD)


def _copy(warehouse: Warehouse, source: str, on_progress: Callable[[str], None]) -> None:
    table = _table(warehouse, source)
    assert table is not None
    on_progress(f"copying {table.num_rows:,} rows of {source} to {COPY}")
    # One statement reads all rows on purpose, and may take hours
    changes = {"bigquery_job_timeout_seconds": _JOB_SECONDS, "bigquery_max_bytes_billed": 2**62}
    with Warehouse(warehouse.settings.model_copy(update=changes)) as unlimited:
        unlimited.rows(copy_statement(warehouse.settings, source, table.schema))
    if _rows(warehouse, COPY) != _rows(warehouse, source):
        raise CsatError(f"{COPY} does not have the rows of {source}", f"run `{COMMAND}` again")


def _rows(warehouse: Warehouse, name: str, until: datetime | None = None) -> list[dict[str, Any]]:
    """Counts and sums of the rows, read until then, by partition of their topic."""
    until = until or datetime.fromisoformat("9999-12-31T00:00:00+00:00")
    return _COMPARED.filled(table=name).rows(warehouse, until=until)


def _count(rows: list[dict[str, Any]]) -> int:
    return sum(row["row_count"] for row in rows)


def _table(warehouse: Warehouse, name: str) -> bigquery.Table | None:
    return find_table(warehouse, warehouse.settings.table("raw", name))


def _is_current(table: bigquery.Table) -> bool:
    return table.time_partitioning is not None and table.time_partitioning.field == landing.PARTITION_COLUMN


def _rename(warehouse: Warehouse, name: str, other: str) -> None:
    warehouse.rows(rename_statement(warehouse.settings, name, other))
