"""The emulator leaves resources to the rest of the stack: it limits its memory, and runs no query twice."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.integration.marts.conftest import Marts

pytestmark = pytest.mark.integration

_LIMITS = "select current_setting('memory_limit') as memory, current_setting('temp_directory') as folder"


def test_it_uses_a_quarter_of_the_memory_and_spills_next_to_its_data(
    make_marts: Callable[[], Marts],
) -> None:
    world = make_marts()
    [limits] = world.warehouse.rows(_LIMITS)
    number, unit = limits["memory"].split()
    assert unit in ("MiB", "GiB")
    megabytes = float(number) * {"MiB": 1, "GiB": 1024}[unit]
    assert megabytes == pytest.approx(psutil.virtual_memory().total / 2**20 / 4, rel=0.05)
    assert Path(limits["folder"]) == world.settings.state / "bigquery" / "spilled"


def test_a_query_with_parameters_runs_once(make_marts: Callable[[], Marts]) -> None:
    """A regression test: it ran three times. The query is long, so that other requests do not matter."""
    world = make_marts()
    numbers = "unnest(generate_array(1, 7000))"
    sql = f"select sum(mod(a * b, {{divisor}})) as total from {numbers} as a, {numbers} as b"

    def seconds(sql: str, **parameters: int) -> float:
        began = time.monotonic()
        assert world.warehouse.rows(sql, **parameters) == [{"total": 126_000_000}]
        return time.monotonic() - began

    plain = min(seconds(sql.format(divisor=7)) for _ in range(3))
    assert min(seconds(sql.format(divisor="@divisor"), divisor=7) for _ in range(3)) < 2 * plain
