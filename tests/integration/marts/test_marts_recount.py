"""Thirty days at the real volume with every fault, built in two steps: a recount finds no difference."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from bench.simulated_landing import land, simulated_rows
from producer.cases import milliseconds
from producer.fault_kinds import Fault
from producer.faults import FaultInjector, parse_fault_rates
from producer.profile import load_profile
from producer.simulate import Simulator
from tests.integration.marts import recount
from tests.integration.marts.checks import assert_same
from tests.integration.marts.conftest import Marts, Rows

pytestmark = [pytest.mark.integration, pytest.mark.long]

DAYS, SEED = 30, 7
END = datetime(2026, 11, 1, tzinfo=UTC) - timedelta(milliseconds=1)


def faulty_rows() -> pa.Table:
    """Landing rows of which one in ten has a fault."""
    start = END - timedelta(days=DAYS)
    injector = FaultInjector(parse_fault_rates("all=0.011"), SEED, milliseconds(start))
    messages = list(injector.inject(Simulator(SEED).history(DAYS * load_profile().answers_per_day, start, END)))
    messages += injector.rest()
    assert {message.fault for message in messages} == {None, *Fault}
    return simulated_rows(messages)


@pytest.fixture(scope="module")
def built(make_marts: Callable[[str], Marts]) -> tuple[Marts, Rows]:
    """The marts after the first 25 days and then the rest, and every landing row."""
    world, rows = make_marts("thirtydays"), faulty_rows()
    first = rows.num_rows * 25 // DAYS
    for part in (rows.slice(0, first), rows.slice(first)):
        land(world.warehouse, part)
        world.build()
    return world, rows.to_pylist()


@pytest.mark.parametrize("table", recount.MARTS)
def test_recount_of_thirty_days_with_all_faults_finds_no_difference(built: tuple[Marts, Rows], table: str) -> None:
    world, rows = built
    assert_same(world, table, recount.MARTS[table](rows))
