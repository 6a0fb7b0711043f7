"""The emulator finds tables by name as it found them by listing all, and drops the results of old queries."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import NotFound

from csat.bigquery.client import Warehouse, WarehouseError
from csat.local.emulator_housekeeping import delete_emulator_jobs
from tests.integration.conftest import wait_for
from tests.integration.marts.conftest import Marts
from tools.bench.emulator import emulator, own_settings

pytestmark = pytest.mark.integration

FORGETFUL = """
from csat.local.emulator import memory, serve
memory.RESULT_SECONDS, memory._SWEEP_SECONDS = 1, 0.2
serve.main()
"""


@pytest.fixture
def world(make_marts: Callable[[], Marts]) -> Marts:
    """A table of three rows and a view of it."""
    made = make_marts()
    rows = "select number from unnest([1, 2, 3]) as number"
    made.execute(f"create or replace table `{{table}}` (number int64 not null) as ({rows})", "marts", "numbers")
    made.execute(
        f"create or replace view `{{table}}` as select * from {made.settings.dataset('marts')}.numbers", "marts", "seen"
    )
    return made


def test_a_table_has_its_rows_and_required_columns(world: Marts) -> None:
    table = world.warehouse.client.get_table(world.settings.table("marts", "numbers"))
    assert (table.table_type, table.num_rows) == ("TABLE", 3)
    assert [(field.name, field.mode) for field in table.schema] == [("number", "REQUIRED")]


def test_a_view_is_reported_as_a_view(world: Marts) -> None:
    assert world.warehouse.client.get_table(world.settings.table("marts", "seen")).table_type == "VIEW"


@pytest.mark.parametrize("name", ["`{project}.{marts}.nothing`", "`{project}.nowhere.numbers`"])
def test_a_missing_table_is_not_found(world: Marts, name: str) -> None:
    table = name.format(project=world.settings.project_id, marts=world.settings.dataset("marts"))
    with pytest.raises(WarehouseError, match="Not found"):
        world.warehouse.rows(f"select * from {table}")


def test_a_dropped_table_is_gone_and_can_be_recreated(world: Marts) -> None:
    world.execute("drop table `{table}`", "marts", "numbers")
    with pytest.raises(WarehouseError, match="Not found"):
        world.read("numbers")
    world.execute("create table `{table}` as select 'a' as letter", "marts", "numbers")
    assert world.read("numbers") == [{"letter": "a"}]


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[Warehouse]:
    """An emulator that keeps results for a second."""
    settings = own_settings(tmp_path)
    with emulator(settings, ("-c", FORGETFUL)), Warehouse(settings) as warehouse:
        yield warehouse


def test_the_result_of_an_old_query_is_dropped_and_its_job_can_still_be_deleted(forgetful: Warehouse) -> None:
    client = forgetful.client
    job = client.query("select 1 as one")
    assert [row.one for row in job.result(timeout=20)] == [1]

    def is_forgotten() -> bool:
        try:
            client.get_table(job.destination, timeout=20)
        except NotFound:
            return True
        return False

    wait_for(is_forgotten, 20, "end of the result")
    assert client.get_job(job.job_id, timeout=20).state == "DONE"
    assert delete_emulator_jobs(forgetful.settings, 0, 10) == {"deleted": 1}
    with pytest.raises(NotFound):
        client.get_job(job.job_id, timeout=20)
