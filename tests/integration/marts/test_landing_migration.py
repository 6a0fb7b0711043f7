"""A landing table of an earlier release is moved into today's partitions: nothing is lost, and nothing is twice."""

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from google.cloud import bigquery

from csat.bigquery import landing_migration, tables
from csat.bigquery.landing_migration import COPY, OLD, Migration, create_or_migrate, delete_old, migrate
from csat.bigquery.positions import name_older_rows
from csat.contract.errors import CsatError
from csat.contract.settings import ROOT, environment
from csat.control.state_files import StateFiles
from csat.control.verdict import Heartbeat, State
from csat.local import doctor
from tests.integration.marts.conftest import Marts, Rows, at, survey_response

pytestmark = pytest.mark.integration

DAY = date(2026, 11, 10)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REJECTED = {"rejection_reason": "not UTF-8", "payload": "AA==", "survey_answered_at": None, "response_id": None}
Progress = Callable[[str], None]


def silent(_: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture
def world(make_marts: Callable[[], Marts], request: pytest.FixtureRequest) -> Marts:
    """A landing table with the partitions of an earlier release, and rows of several days, accepted and rejected.

    A parameter names columns that the table lacks.
    """
    lacking: list[str] = getattr(request, "param", [])
    made = make_marts()
    name = made.settings.table("raw", "survey_responses")
    made.warehouse.client.delete_table(name)
    table = tables.landing_table(made.settings)
    table.schema = [field for field in table.schema if field.name not in lacking]
    table.time_partitioning = bigquery.TimePartitioning(field="survey_answered_at")
    made.warehouse.client.create_table(table)
    made.land(
        [survey_response(number, at(DAY - timedelta(days=400 * number)), item_price="1.25") for number in range(5)]
    )
    last = {"batch_id": "b2", "kafka_topic_id": "id"}
    for name in lacking:
        del last[name]
    made.land([survey_response(5, at(DAY), **REJECTED), survey_response(6, at(DAY), **last)])
    return made


def contents(world: Marts, table: str = "survey_responses") -> Rows:
    return world.execute("select * from `{table}` order by kafka_offset", "raw", table)


def described(world: Marts) -> tuple[Any, ...]:
    table = world.warehouse.client.get_table(world.settings.table("raw", "survey_responses"))
    assert table.time_partitioning is not None
    return table.time_partitioning.field, table.clustering_fields, table.schema


def interrupted(world: Marts, after: int) -> None:
    """A migration that ends when it says its line of this number, before it does what the line says."""
    lines: list[str] = []

    def end(line: str) -> None:
        lines.append(line)
        if len(lines) == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(world.warehouse, end, NOW)


def test_rows_columns_and_descriptions_are_the_same_in_the_partitions_of_today(world: Marts) -> None:
    before = contents(world)
    lines: list[str] = []
    assert migrate(world.warehouse, lines.append, NOW) == Migration(7, is_moved=True, has_old_table=True)
    assert lines == [
        "copying 7 rows of survey_responses to survey_responses_copy",
        "renaming survey_responses to survey_responses_old",
        "renaming survey_responses_copy to survey_responses",
    ]
    wanted = tables.landing_table(world.settings)
    assert described(world) == ("ingested_at", wanted.clustering_fields, wanted.schema)
    assert contents(world) == contents(world, OLD) == before
    assert migrate(world.warehouse, silent, NOW) == Migration(7, is_moved=False, has_old_table=True)
    delete_old(world.warehouse)
    assert migrate(world.warehouse, silent, NOW) == Migration(7, is_moved=False, has_old_table=False)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_migration_that_is_interrupted_is_completed_by_the_next_call(world: Marts, after: int) -> None:
    before = contents(world)
    interrupted(world, after)
    with pytest.raises(CsatError, match="`csat migrate-landing`"):
        landing_migration.require_current(world.warehouse)
    assert migrate(world.warehouse, silent, NOW).rows == 7
    assert (contents(world), described(world)[0]) == (before, "ingested_at")


@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize("world", [["kafka_topic_id"]], indirect=True)
def test_column_that_the_table_lacks_is_null_in_the_migrated_one(world: Marts, after: int) -> None:
    before = contents(world)
    interrupted(world, after)
    assert migrate(world.warehouse, silent, NOW).rows == 7
    assert contents(world) == [row | {"kafka_topic_id": None} for row in before]
    assert sorted(described(world)[2], key=str) == sorted(tables.landing_table(world.settings).schema, key=str)
    delete_old(world.warehouse)


def test_start_of_the_stack_completes_an_interrupted_migration_and_creates_no_empty_table(world: Marts) -> None:
    before = contents(world)
    interrupted(world, 3)
    create_or_migrate(world.warehouse, silent)
    create_or_migrate(world.warehouse, silent)
    assert contents(world) == before


def test_killed_command_is_completed_by_the_next_one(world: Marts) -> None:
    before = contents(world)
    command = [sys.executable, "-m", "csat.cli.main", "migrate-landing", "--json"]
    variables = environment(**world.settings.as_environment())
    with subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("copying 7 rows")
        process.send_signal(signal.SIGKILL)
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, '"rows": 7' in done.stdout) == (0, True), done.stderr
    assert (contents(world), described(world)[0]) == (before, "ingested_at")


def test_row_that_lands_after_the_copy_is_copied_too(world: Marts) -> None:
    def land_one(line: str) -> None:
        if line.startswith("renaming survey_responses to"):
            world.land([survey_response(7, at(DAY))])

    assert migrate(world.warehouse, land_one, NOW).rows == 8
    assert [row["kafka_offset"] for row in contents(world)] == list(range(8))


@pytest.mark.parametrize("state", [State.STARTING, State.RUNNING])
def test_running_stream_refuses_the_migration(world: Marts, state: State) -> None:
    state_files = StateFiles(world.settings.state_files)
    heartbeat = Heartbeat(token="t", driver_id="d", state=state, at=NOW, started_at=NOW)
    state_files.write_heartbeat(heartbeat)
    with pytest.raises(CsatError, match="the stream runs, fix: pause the DAG run_stream"):
        migrate(world.warehouse, silent, NOW)
    assert described(world)[0] == "survey_answered_at"
    state_files.write_heartbeat(heartbeat.model_copy(update={"state": State.STOPPED}))
    assert migrate(world.warehouse, silent, NOW).is_moved


def test_build_and_doctor_name_the_command(world: Marts) -> None:
    sentence = (
        "survey_responses is partitioned by survey_answered_at, not by ingested_at",
        "stop the stream, run `csat migrate-landing`",
    )
    with pytest.raises(CsatError) as caught:
        world.build()
    assert (caught.value.message, caught.value.fix) == sentence
    check = doctor.landing_check(world.settings)
    assert (check.is_ok, check.detail, check.fix) == (False, *sentence)
    migrate(world.warehouse, silent, NOW)
    assert world.build().record is not None
    assert doctor.landing_check(world.settings).is_ok


def test_old_table_is_kept_where_the_new_one_lacks_a_row(world: Marts) -> None:
    migrate(world.warehouse, silent, NOW)
    world.land([survey_response(8, at(DAY + timedelta(days=1)))])  # a later row does not matter
    world.execute("delete from `{table}` where kafka_offset = 3", "raw", "survey_responses")
    with pytest.raises(CsatError, match="does not have the rows of survey_responses_old"):
        delete_old(world.warehouse)
    assert len(contents(world, OLD)) == 7


def test_old_table_is_deleted_after_a_driver_named_the_topic_of_older_rows(world: Marts) -> None:
    migrate(world.warehouse, silent, NOW)
    name_older_rows(world.warehouse, "messages", "id")
    delete_old(world.warehouse)
    assert {row["kafka_topic_id"] for row in contents(world)} == {"id"}


def test_old_table_without_rows_is_deleted_after_others_have_landed(world: Marts) -> None:
    world.execute("delete from `{table}` where true", "raw", "survey_responses")
    migrate(world.warehouse, silent, NOW)
    world.land([survey_response(8, at(DAY))])
    delete_old(world.warehouse)
    assert len(contents(world)) == 1


def test_table_that_was_created_between_the_renames_is_not_taken_for_the_migrated_one(world: Marts) -> None:
    interrupted(world, 3)
    tables.create_landing_table(world.warehouse)
    with pytest.raises(CsatError, match="survey_responses was created while its rows were in survey_responses_old"):
        migrate(world.warehouse, silent, NOW)
    assert len(contents(world, COPY)) == 7
