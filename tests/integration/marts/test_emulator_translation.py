"""The emulator caches the translation of a statement, and invalidates it when types change."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.cloud import bigquery

from csat.bigquery.client import Warehouse, WarehouseError
from csat.local.programs import EMULATOR_PYTHON
from tests.integration.marts.conftest import Marts
from tools.bench.emulator import emulator, own_settings

pytestmark = pytest.mark.integration

LOGGING = """
import sys
from csat.local.emulator import serve
from local_bigquery.sql import translate
from local_bigquery.sql.rules import typing

def logging_calls(what, call):
    def logged(*args, **options):
        print("did:", what, flush=True)
        return call(*args, **options)
    return logged

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            print("did: look for pandas", flush=True)

translate.sqlglot.parse = logging_calls("parse", translate.sqlglot.parse)
typing.qualify = logging_calls("find types", typing.qualify)
sys.meta_path.insert(0, Finder())
serve.main()
"""
LISTS_TEMPORARY_TABLES = """
import inspect
from csat.local.emulator.speed import _TEMPORARY_SQL
from local_bigquery.jobs import query
assert _TEMPORARY_SQL in inspect.getsource(query.execute)
"""


@pytest.fixture
def logging_calls(tmp_path: Path) -> Iterator[Warehouse]:
    """An emulator that logs what it does for a statement."""
    settings = own_settings(tmp_path)
    with emulator(settings, ("-c", LOGGING)), Warehouse(settings) as warehouse:
        yield warehouse


def _done(warehouse: Warehouse) -> Counter[str]:
    lines = (warehouse.settings.state / "logs" / "bigquery.log").read_text().splitlines()
    return Counter(line.removeprefix("did: ") for line in lines if line.startswith("did: "))


def test_a_repeated_statement_is_neither_parsed_nor_typed(logging_calls: Warehouse) -> None:
    def run(number: int) -> Counter[str]:
        before = _done(logging_calls)
        assert logging_calls.rows("select @number + 1 as next", number=number) == [{"next": number + 1}]
        return _done(logging_calls) - before

    assert run(1).keys() == {"parse", "find types"}
    assert run(2) == Counter()


def test_a_statement_is_typed_from_scratch_when_a_column_changes_its_type(make_marts: Callable[[], Marts]) -> None:
    world = make_marts()

    def seen(value: str) -> list[dict[str, object]]:
        world.execute(f"create or replace table `{{table}}` as select {value} as number", "marts", "numbers")
        return world.execute("select number from `{table}` where number = '1'", "marts", "numbers")

    for _ in range(2):
        assert seen("'1'") == [{"number": "1"}]
        with pytest.raises(WarehouseError, match="No matching signature"):
            seen("1")


def test_a_script_and_a_session_have_their_temporary_tables(make_marts: Callable[[], Marts]) -> None:
    """Their names without a dataset do not refer to the default dataset."""
    world = make_marts()
    client, dataset = world.warehouse.client, f"{world.settings.project_id}.{world.settings.dataset('marts')}"
    script, read = "create temp table kept as select 7 as number; select number from kept", "select number from kept"

    def numbers(job: bigquery.QueryJob) -> list[int]:
        return [row.number for row in job.result(timeout=20)]

    assert numbers(client.query(script, bigquery.QueryJobConfig(default_dataset=dataset))) == [7]
    job = client.query(script, bigquery.QueryJobConfig(default_dataset=dataset, create_session=True))
    assert numbers(job) == [7]
    session = bigquery.ConnectionProperty("session_id", getattr(job.session_info, "session_id", ""))
    config = bigquery.QueryJobConfig(default_dataset=dataset, connection_properties=[session])
    assert numbers(client.query(read, config)) == [7]


def test_the_emulator_still_lists_temporary_tables_with_the_query_that_is_replaced() -> None:
    subprocess.run([str(EMULATOR_PYTHON), "-c", LISTS_TEMPORARY_TABLES], check=True, timeout=60)
