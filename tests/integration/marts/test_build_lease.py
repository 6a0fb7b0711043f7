"""One build of the marts at a time, on any machine: here machines are processes that share nothing but BigQuery."""

import os
import re
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from csat.bigquery.login import token_file
from csat.contract.errors import CsatError
from tests.integration.marts.checks import building, expire_lease, kill_build
from tests.integration.marts.conftest import TABLES, Marts, at, published, survey_response

pytestmark = pytest.mark.integration

_END_SECONDS = 300
_FIRST_NUMBER = 100


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts]) -> Marts:
    return published(make_marts())


@pytest.fixture
def other_machine(world: Marts, tmp_path: Path) -> Marts:
    """The same marts from a machine with a state folder of its own."""
    settings = world.settings.model_copy(update={"state_dir": tmp_path / "state"})
    token_file(settings).parent.mkdir(mode=0o700, parents=True)
    shutil.copy2(token_file(world.settings), token_file(settings))
    return Marts(settings, world.warehouse)


def land_one(world: Marts, number: int) -> None:
    """Land a response of a date that has been built."""
    ingested_at = datetime(2026, 11, 20, number - _FIRST_NUMBER, tzinfo=UTC)
    world.land([survey_response(number, at(date(2026, 11, 3)), csat_score=1, ingested_at=ingested_at)])


def builds(world: Marts) -> list[str]:
    """The ids of the builds that were published."""
    rows = world.execute("select build_id from `{table}` order by built_at", "ops", "mart_builds")
    return [row["build_id"] for row in rows]


def test_two_builds_at_once_on_two_machines_end_in_one_correct_result(world: Marts, other_machine: Marts) -> None:
    expire_lease(world)
    land_one(world, 101)
    before = builds(world)
    with building(world.settings) as first, building(other_machine.settings) as second:
        texts = [process.communicate(timeout=_END_SECONDS)[0] for process in (first, second)]
        assert [first.returncode, second.returncode] == [0, 0], "\n====\n".join(texts)
    waited = [
        text for text in texts if re.search(r"Waiting for another build .*: process \d+ on \S+ since 2\d\d\d-", text)
    ]
    assert [len(waited), "Nothing new in the landing table." in waited[0]] == [1, True]
    assert len(builds(world)) == len(before) + 1
    assert_equals_a_full_refresh(world)


@pytest.mark.long
def test_a_killed_build_on_another_machine_has_the_lease_until_it_expires(world: Marts, other_machine: Marts) -> None:
    expire_lease(world)
    land_one(world, 102)
    kill_build(other_machine, after=TABLES[0])
    before = builds(world)
    with pytest.raises(CsatError, match=r"still runs after 0.1 s: process \d+ on \S+ since .*, fix: wait, or end it"):
        world.build(lock_wait_seconds=0.1)
    expire_lease(world)
    world.build()
    assert len(builds(world)) == len(before) + 1


def test_a_killed_build_on_this_machine_does_not_delay_the_next_one(world: Marts) -> None:
    expire_lease(world)
    land_one(world, 103)
    kill_build(world, after=TABLES[0])
    before = builds(world)
    world.build(lock_wait_seconds=60)
    assert len(builds(world)) == len(before) + 1


@pytest.mark.long
def test_a_build_whose_machine_was_paused_does_not_publish(world: Marts, other_machine: Marts) -> None:
    expire_lease(world)
    land_one(world, 104)
    with building(other_machine.settings) as paused:
        assert paused.stdout is not None
        assert any(re.search(rf"OK created .*\.{TABLES[0]} ", line) for line in paused.stdout)
        os.killpg(paused.pid, signal.SIGSTOP)
        expire_lease(world)
        land_one(world, 105)
        world.build()
        published, figures = builds(world), world.snapshot()
        os.killpg(paused.pid, signal.SIGCONT)
        text, _ = paused.communicate(timeout=_END_SECONDS)
    assert (paused.returncode, "took the lease, which this one had not renewed for 300 s" in text) == (1, True), text
    assert builds(world) == published
    after = world.snapshot()
    assert {name for name in TABLES if not name.startswith("int_") and after[name] != figures[name]} == set()
    assert_equals_a_full_refresh(world)


def assert_equals_a_full_refresh(world: Marts) -> None:
    """The marts are those that a full refresh makes."""
    before = world.snapshot()
    world.build(full_refresh=True)
    assert world.snapshot() == before
