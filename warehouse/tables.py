"""Datasets and the tables that dbt does not own, made for the local stack (Terraform makes the cloud's)."""

import json
from pathlib import Path

from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery

from csat import landing
from csat.settings import Settings
from warehouse.client import Warehouse

SCRATCH_HOURS = 24
# A file for each table of the ops dataset, named for it.
OPS_SCHEMAS = Path(__file__).parent / "schemas"


def create_datasets(warehouse: Warehouse) -> list[str]:
    """Create the four datasets where missing; returns their names. Scratch tables end by themselves."""
    settings = warehouse.settings
    names = []
    for role in ("raw", "marts", "ops", "scratch"):
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


def landing_table(settings: Settings, schema_file: Path = landing.SCHEMA_FILE) -> bigquery.Table:
    """The landing table as its schema file describes it, partitioned by answer day."""
    schema = [bigquery.SchemaField.from_api_repr(field) for field in json.loads(schema_file.read_text())]
    table = bigquery.Table(settings.table("raw", landing.TABLE), schema=schema)
    table.time_partitioning = bigquery.TimePartitioning(field=landing.PARTITION_COLUMN)
    table.clustering_fields = list(landing.CLUSTER_COLUMNS)
    return table


def ops_table(settings: Settings, name: str) -> bigquery.Table:
    """A table of the ops dataset as its schema file describes it."""
    fields = json.loads((OPS_SCHEMAS / f"{name}.json").read_text())
    schema = [bigquery.SchemaField.from_api_repr(field) for field in fields]
    return bigquery.Table(settings.table("ops", name), schema=schema)


def table_version(warehouse: Warehouse, table: str, timeout_seconds: float) -> str | None:
    """A text that every load into the table changes, without a query; None where there is no such table."""
    retry = bigquery.DEFAULT_RETRY.with_deadline(timeout_seconds)
    with warehouse.errors():
        try:
            found = warehouse.client.get_table(table, retry=retry, timeout=timeout_seconds)
        except NotFound:
            return None
    # The emulator changes only the number, BigQuery both.
    return f"{found.modified.isoformat()}/{found.num_rows}"


def create_table(warehouse: Warehouse, table: bigquery.Table) -> None:
    """Create the table where it is missing; one that is there stays as it is."""
    with warehouse.errors():
        try:
            warehouse.client.create_table(
                table, retry=warehouse.retry, timeout=warehouse.settings.bigquery_timeout_seconds
            )
        except Conflict:
            return


def create_landing_table(warehouse: Warehouse) -> None:
    """Create the landing table where it is missing."""
    create_table(warehouse, landing_table(warehouse.settings))


def create_ops_tables(warehouse: Warehouse) -> None:
    """Create the tables of the ops dataset where they are missing."""
    for file in sorted(OPS_SCHEMAS.glob("*.json")):
        create_table(warehouse, ops_table(warehouse.settings, file.stem))
