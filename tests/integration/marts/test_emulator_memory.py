"""The emulator leaves most of the machine's memory to the rest of the stack."""

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.integration.marts.conftest import Marts

pytestmark = pytest.mark.integration

_LIMITS = "select current_setting('memory_limit') as memory, current_setting('temp_directory') as folder"


def test_it_holds_a_quarter_of_the_memory_and_writes_the_rest_beside_its_data(
    make_marts: Callable[[str], Marts],
) -> None:
    world = make_marts("memory")
    [limits] = world.warehouse.rows(_LIMITS)
    number, unit = limits["memory"].split()
    assert unit in ("MiB", "GiB")
    megabytes = float(number) * {"MiB": 1, "GiB": 1024}[unit]
    assert megabytes == pytest.approx(psutil.virtual_memory().total / 2**20 / 4, rel=0.05)
    assert Path(limits["folder"]) == world.settings.state / "bigquery" / "spilled"
