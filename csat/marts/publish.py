"""What a build wrote becomes what readers see: all marts and the record of the build in one transaction, or nothing.

dbt builds and tests tables in the candidate dataset. Readers see the dataset of the marts only, so a failed build, a
failed test or a killed build changes nothing for them, and no query sees marts of two builds.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Any

from google.cloud import bigquery

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query
from csat.bigquery.tables import find_table, ops_table
from csat.marts.builds import TABLE, BuildRecord
from csat.marts.lease import KEEP, Lease
from csat.marts.manifest import CandidateTable

_REPLACE = Query.read(__file__, "replace_rows")
_INSERT = Query.read(__file__, "insert_build")
# A table's schema has the older names of these types, which a parameter may not have
_PARAMETER_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


def publish(warehouse: Warehouse, tables: Iterable[CandidateTable], record: BuildRecord, lease: Lease) -> None:
    """Replace the dates of the build in the marts by the candidate's rows, and store the record of the build.

    A mart that does not exist yet gets all rows. One whose columns changed with a release is replaced just before.
    Raises LeaseLostError, where nothing is replaced, and WarehouseError.
    """
    lease.keep()
    replacements = []
    for table in tables:
        state = _prepare(warehouse, table.name)
        if state is not _State.REPLACED:
            is_whole = record.is_full_refresh or state is _State.CREATED
            replacements.append(replacement(table, is_whole=is_whole))
    with lease.keeping():
        transaction(replacements).rows(warehouse, **_parameters(warehouse, record), **lease.parameters)


def replacement(table: CandidateTable, *, is_whole: bool) -> Query:
    """The statements that replace a mart's rows: those of the dates that were built, or all."""
    is_by_date = table.partitions and not is_whole
    condition = f"{table.partition_column} in ({', '.join(table.partitions)})" if is_by_date else "true"
    return _REPLACE.filled(mart=table.name, columns=", ".join(table.columns), condition=condition)


def transaction(replacements: Iterable[Query]) -> Query:
    """One script: BigQuery rolls it back where a statement fails, first of all where the lease is lost."""
    statements = [KEEP.text, *(query.text for query in replacements), _INSERT.text]
    return Query("\n".join(["begin transaction;", *statements, "commit transaction;"]))


class _State(Enum):
    READY = "has the candidate's columns"
    CREATED = "is new and empty"
    REPLACED = "had other columns, and has all rows of the candidate"


def _prepare(warehouse: Warehouse, name: str) -> _State:
    """Give the mart the columns of the candidate."""
    client, settings = warehouse.client, warehouse.settings
    options = {"retry": warehouse.retry, "timeout": settings.bigquery_timeout_seconds}
    mart = find_table(warehouse, settings.table("marts", name))
    with warehouse.errors():
        candidate = client.get_table(settings.table("candidate", name), **options)
        if mart is None:
            mart = bigquery.Table(settings.table("marts", name), schema=candidate.schema)
            mart.time_partitioning = candidate.time_partitioning
            mart.clustering_fields = candidate.clustering_fields
            mart.description = candidate.description
            client.create_table(mart, **options)
            return _State.CREATED
        if _columns(mart) == _columns(candidate):
            return _State.READY
        config = bigquery.CopyJobConfig(write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE)
        job = client.copy_table(candidate.reference, mart.reference, job_config=config, **options)
        job.result(timeout=settings.bigquery_job_timeout_seconds, retry=warehouse.retry)
    return _State.REPLACED


def _columns(table: bigquery.Table) -> list[tuple[str, str]]:
    return sorted((field.name, field.field_type) for field in table.schema)


def _parameters(warehouse: Warehouse, record: BuildRecord) -> dict[str, Any]:
    values = vars(record)
    return {field.name: _parameter(field, values[field.name]) for field in ops_table(warehouse.settings, TABLE).schema}


def _parameter(field: bigquery.SchemaField, value: Any) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    kind = _PARAMETER_TYPES.get(field.field_type, field.field_type)
    if field.mode == "REPEATED":
        return bigquery.ArrayQueryParameter(field.name, kind, list(value))
    return bigquery.ScalarQueryParameter(field.name, kind, value)
