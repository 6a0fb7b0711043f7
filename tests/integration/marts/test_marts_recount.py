"""Thirty days at the real volume with every fault, built in two steps: a recount finds no difference."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

import pytest
from pyarrow import parquet

from producer.cases import milliseconds
from producer.fault_kinds import Fault
from producer.faults import FaultInjector, parse_fault_rates
from producer.message import Message
from producer.profile import load_profile
from producer.simulate import Simulator
from tests.integration.marts import recount
from tests.integration.marts.checks import assert_same
from tests.integration.marts.conftest import Marts, Rows
from tools.bench.history import load, write_messages

pytestmark = [pytest.mark.integration, pytest.mark.long]

DAYS, SEED = 30, 7
END = datetime(2026, 11, 1, tzinfo=UTC) - timedelta(milliseconds=1)


def faulty_messages() -> list[Message]:
    """Thirty days of messages of which one in ten has a fault; each sent at the newest answer time so far."""
    start = END - timedelta(days=DAYS)
    injector = FaultInjector(parse_fault_rates("all=0.011"), SEED, milliseconds(start))
    history = Simulator(SEED).history(DAYS * load_profile().responses_per_day, start, END)
    messages = [*injector.inject(history), *injector.rest()]
    assert {message.fault for message in messages} == {None, *Fault}
    moments = accumulate((message.answered_ms for message in messages), max)
    return [message._replace(answered_ms=moment) for message, moment in zip(messages, moments, strict=True)]


@pytest.fixture(scope="module")
def built(make_marts: Callable[[], Marts], tmp_path_factory: pytest.TempPathFactory) -> tuple[Marts, Rows]:
    """The marts after the first 25 days and then the rest, and every landing row."""
    world, folder, messages = make_marts(), tmp_path_factory.mktemp("messages"), faulty_messages()
    first = len(messages) * 25 // DAYS
    rows: Rows = []
    for offset, part in ((0, messages[:first]), (first, messages[first:])):
        file: Path = folder / f"{offset}.parquet"
        write_messages(file, part, offset)
        load(world.warehouse, [file])
        world.build()
        rows += parquet.read_table(file).to_pylist()
    return world, rows


@pytest.mark.parametrize("table", recount.MARTS)
def test_recount_of_thirty_days_with_all_faults_finds_no_difference(built: tuple[Marts, Rows], table: str) -> None:
    world, rows = built
    assert_same(world, table, recount.MARTS[table](rows))
