"""How much memory the stream holds, by what its JVM says."""

from types import SimpleNamespace
from typing import Any

import pytest

from spark.query import _memory

MB = 1024 * 1024


def session(name: str, survived: int, used: int) -> Any:
    """A session whose JVM has a pool of this name that may hold 100 MB, after a pool that is never collected."""

    def usage(amount: int) -> SimpleNamespace:
        return SimpleNamespace(getUsed=lambda: amount * MB, getMax=lambda: 100 * MB)

    pools = [
        SimpleNamespace(getName=lambda: "Metaspace", getCollectionUsage=lambda: None),
        SimpleNamespace(getName=lambda: name, getCollectionUsage=lambda: usage(survived), getUsage=lambda: usage(used)),
    ]
    factory = SimpleNamespace(getMemoryPoolMXBeans=lambda: pools)
    management = SimpleNamespace(ManagementFactory=factory)
    return SimpleNamespace(_jvm=SimpleNamespace(java=SimpleNamespace(lang=SimpleNamespace(management=management))))


@pytest.mark.parametrize("name", ["G1 Old Gen", "Tenured Gen"])
def test_memory_is_what_survived_the_last_collection_of_the_old_generation(name: str) -> None:
    assert _memory(session(name, survived=40, used=95)) == (40 * MB, 0.4)


def test_memory_is_what_the_old_generation_holds_before_its_first_collection() -> None:
    assert _memory(session("G1 Old Gen", survived=0, used=95)) == (95 * MB, 0.0)
