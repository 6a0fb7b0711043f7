"""The emulator's partitions behave like BigQuery's: dbt's insert_overwrite replaces only the ones that it names."""

from collections.abc import Callable
from typing import Any

import pytest

from csat.bigquery.client import WarehouseError
from tests.integration.marts.conftest import Marts

pytestmark = pytest.mark.integration

# The MERGE of dbt for static partitions.
OVERWRITE = """
merge into `{table}` as DBT_INTERNAL_DEST
using ({source}) as DBT_INTERNAL_SOURCE
on FALSE
when not matched by source and date(dbt_internal_dest.day) in ({days}) then delete
when not matched then insert (`day`, `number`) values (`day`, `number`)
"""
_25TH, _26TH = "date '2026-11-25'", "date '2026-11-26'"


@pytest.fixture
def days(make_marts: Callable[[], Marts]) -> Marts:
    """A table `days` with rows in random order: numbers 1 to 4, two for each of two days."""
    world = make_marts()
    rows = f"struct({_26TH} as day, 3 as number), ({_25TH}, 1), ({_26TH}, 4), ({_25TH}, 2)"
    world.execute(
        "create or replace table `{table}` (day date not null, number int64) partition by day "
        f"as (select day, number from unnest([{rows}]))",
        "marts",
        "days",
    )
    return world


def overwrite(world: Marts, source: str, days: str) -> None:
    table = world.settings.table("marts", "days")
    world.warehouse.rows(OVERWRITE.format(table=table, source=source.format(table=table), days=days))


def numbers(world: Marts) -> list[Any]:
    return [
        row["number"] for row in world.execute("select number from `{table}` order by day, number", "marts", "days")
    ]


def test_rows_of_a_partition_are_stored_together(days: Marts) -> None:
    stored = days.execute("select day from `{table}`", "marts", "days")
    assert [row["day"].day for row in stored] == [25, 25, 26, 26]


def test_overwrite_replaces_the_partition_that_it_names(days: Marts) -> None:
    overwrite(days, f"select {_26TH} as day, 9 as number", _26TH)
    assert numbers(days) == [1, 2, 9]


def test_overwrite_empties_a_named_partition_that_gets_no_row(days: Marts) -> None:
    overwrite(days, f"select {_26TH} as day, 9 as number", f"{_25TH}, {_26TH}")
    assert numbers(days) == [9]


def test_overwrite_reads_its_source_before_it_deletes(days: Marts) -> None:
    overwrite(days, "select day, number * 10 as number from `{table}`", f"{_25TH}, {_26TH}")
    assert numbers(days) == [10, 20, 30, 40]


def test_overwrite_that_fails_changes_nothing(days: Marts) -> None:
    with pytest.raises(WarehouseError, match="NOT NULL"):
        overwrite(days, "select cast(null as date) as day, 9 as number", f"{_25TH}, {_26TH}")
    assert numbers(days) == [1, 2, 3, 4]
