"""Datasets and the tables outside dbt, created for the local stack (Terraform creates those on Google Cloud)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query
from csat.contract import landing
from csat.contract.settings import DatasetRole, Settings

SCRATCH_HOURS = 24
# One file for each table of the ops dataset, named after it.
OPS_SCHEMAS = Path(__file__).parent / "schemas"
LANDED_MESSAGES = "landed_messages"
_UPLOAD_RETRIES = 1  # with its default of six, the client waits 65 s for an unreachable BigQuery


def create_datasets(warehouse: Warehouse) -> list[str]:
    """Create the datasets where missing; returns their names. Scratch tables expire."""
    settings = warehouse.settings
    names = []
    for role in get_args(DatasetRole):
        dataset = bigquery.Dataset(f"{settings.project_id}.{settings.dataset(role)}")
        dataset.location = settings.location
        if role == "scratch":
            dataset.default_table_expiration_ms = SCRATCH_HOURS * 3_600_000
        with warehouse.errors():
            warehouse.client.create_dataset(
                dataset, exists_ok=True, retry=warehouse.retry, timeout=settings.bigquery_timeout_seconds
            )
        names.append(dataset.dataset_id)
    return names


def landing_table(settings: Settings, name: str = landing.TABLE) -> bigquery.Table:
    """The landing table as its schema file describes it, partitioned by the day on which the stream read a message.

    With another name it is a table that becomes the landing table.
    """
    schema = [bigquery.SchemaField.from_api_repr(field) for field in json.loads(landing.SCHEMA_FILE.read_text())]
    table = bigquery.Table(settings.table("raw", name), schema=schema)
    table.time_partitioning = bigquery.TimePartitioning(field=landing.PARTITION_COLUMN)
    table.clustering_fields = list(landing.CLUSTER_COLUMNS)
    return table


def ops_table(settings: Settings, name: str) -> bigquery.Table:
    """A table of the ops dataset as its schema file describes it."""
    fields = json.loads((OPS_SCHEMAS / f"{name}.json").read_text())
    schema = [bigquery.SchemaField.from_api_repr(field) for field in fields]
    return bigquery.Table(settings.table("ops", name), schema=schema)


def table_version(warehouse: Warehouse, table: str, timeout_seconds: float) -> str | None:
    """A string that changes with every load into the table, without a query; None where there is no such table."""
    found = find_table(warehouse, table, timeout_seconds)
    # The emulator changes only the number of rows, BigQuery both.
    return f"{found.modified.isoformat()}/{found.num_rows}" if found else None


def find_table(warehouse: Warehouse, table: str, timeout_seconds: float | None = None) -> bigquery.Table | None:
    """The table of this full name; None where there is none. Raises WarehouseError."""
    seconds = timeout_seconds or warehouse.settings.bigquery_timeout_seconds
    with warehouse.errors():
        try:
            return warehouse.client.get_table(
                table, retry=bigquery.DEFAULT_RETRY.with_deadline(seconds), timeout=seconds
            )
        except NotFound:
            return None


def create_table(warehouse: Warehouse, table: bigquery.Table) -> None:
    """Create the table where it is missing; add missing columns to an existing one."""
    options = {"retry": warehouse.retry, "timeout": warehouse.settings.bigquery_timeout_seconds}
    with warehouse.errors():
        try:
            warehouse.client.create_table(table, **options)
        except Conflict:
            existing = warehouse.client.get_table(table.reference, **options)
            known = {field.name for field in existing.schema}
            missing = [field for field in table.schema if field.name not in known]
            if missing:
                existing.schema = [*existing.schema, *missing]
                warehouse.client.update_table(existing, ["schema"], **options)


def create_landing_table(warehouse: Warehouse) -> None:
    """Create the landing table where it is missing."""
    create_table(warehouse, landing_table(warehouse.settings))


def create_ops_tables(warehouse: Warehouse) -> None:
    """Create the tables of the ops dataset, and its view of the landing table, where they are missing."""
    for file in sorted(OPS_SCHEMAS.glob("*.json")):
        create_table(warehouse, ops_table(warehouse.settings, file.stem))
    warehouse.rows(landed_messages_statement(warehouse.settings))


def landed_messages_statement(settings: Settings) -> str:
    """The statement that creates the view of the landing table without the columns in which customers are quoted."""
    view = f"create view if not exists ops.{LANDED_MESSAGES} as\n"
    return Query(view + Query.read(__file__, LANDED_MESSAGES).text).sql(settings)


def append_rows(warehouse: Warehouse, name: str, rows: Sequence[dict[str, Any]], job_id: str | None = None) -> None:
    """Append rows in JSON's types to a table of the ops dataset. With a `job_id`, a repeated call has no effect.

    Raises WarehouseError.
    """
    settings = warehouse.settings
    table = ops_table(settings, name)
    config = bigquery.LoadJobConfig(
        schema=table.schema,  # without it, the client first requests the table, without a limit on time
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
    )
    with warehouse.errors():
        try:
            job: Any = warehouse.client.load_table_from_json(
                rows,
                table,
                num_retries=_UPLOAD_RETRIES,
                job_id=job_id,
                job_config=config,
                timeout=settings.bigquery_timeout_seconds,
            )
        except Conflict:  # an earlier call's
            job = warehouse.client.get_job(
                job_id or "",
                location=settings.location,
                retry=warehouse.retry,
                timeout=settings.bigquery_timeout_seconds,
            )
        job.result(timeout=settings.bigquery_job_timeout_seconds, retry=warehouse.retry)
