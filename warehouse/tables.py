"""Datasets and the tables that dbt does not own, made for the local stack (Terraform makes the cloud's)."""

import json
from pathlib import Path

from google.api_core.exceptions import Conflict
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


def create_table(warehouse: Warehouse, table: bigquery.Table) -> None:
    """Create the table where it is missing; one that is there gets the columns that it lacks."""
    patience = {"retry": warehouse.retry, "timeout": warehouse.settings.bigquery_timeout_seconds}
    with warehouse.errors():
        try:
            warehouse.client.create_table(table, **patience)
        except Conflict:
            there = warehouse.client.get_table(table.reference, **patience)
            known = {field.name for field in there.schema}
            missing = [field for field in table.schema if field.name not in known]
            if missing:
                there.schema = [*there.schema, *missing]
                warehouse.client.update_table(there, ["schema"], **patience)


def create_landing_table(warehouse: Warehouse) -> None:
    """Create the landing table where it is missing."""
    create_table(warehouse, landing_table(warehouse.settings))


def create_ops_tables(warehouse: Warehouse) -> None:
    """Create the tables of the ops dataset where they are missing."""
    for file in sorted(OPS_SCHEMAS.glob("*.json")):
        create_table(warehouse, ops_table(warehouse.settings, file.stem))
