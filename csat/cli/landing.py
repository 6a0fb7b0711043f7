"""`csat migrate-landing`: gives the landing table the partitions of this release."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from csat.cli.output import Json, report_fields, say
from csat.cli.servers import BIGQUERY, settings_with


def migrate_landing(
    delete_old: Annotated[
        bool, typer.Option("--delete-old", help="Delete the old table, if the landing table has all of its rows.")
    ] = False,
    is_json: Json = False,
) -> None:
    """Give the landing table the partitions of this release; the old table is kept. Can be run again at any time."""
    settings = settings_with(BIGQUERY)
    from csat.bigquery.client import Warehouse
    from csat.bigquery.landing_migration import delete_old as delete
    from csat.bigquery.landing_migration import migrate

    with Warehouse(settings) as warehouse:
        if delete_old:
            delete(warehouse)
        found = migrate(warehouse, say, datetime.now(UTC))
    report_fields("landing table", found.as_dict(), is_json)
