"""How much memory the stream holds, by what its JVM says."""

from types import SimpleNamespace
from typing import Any

import pytest

from spark import query
from spark.query import ActiveQuery, _memory

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


@pytest.mark.parametrize(("busy", "seconds", "requests"), [(1, 60, 2), (9, 0, 1)])
def test_query_is_stopped_after_its_batch_or_after_the_time_for_it(
    monkeypatch: pytest.MonkeyPatch, busy: int, seconds: float, requests: int
) -> None:
    events: list[str] = []

    class Query:
        isActive = True  # noqa: N815  # Spark's own name

        @property
        def status(self) -> dict[str, bool]:
            events.append("status")
            return {"isTriggerActive": len(events) <= busy + 1}

        def stop(self) -> None:
            events.append("stop")

    monkeypatch.setattr(query, "MAX_BATCH_END_SECONDS", seconds)
    monkeypatch.setattr(query, "_POLL_SECONDS", 0)
    active = ActiveQuery.__new__(ActiveQuery)
    active._query = Query()  # type: ignore[assignment]
    active._sink = SimpleNamespace(budget=SimpleNamespace(end_hold=lambda: events.append("hold ended")))  # type: ignore[assignment]
    active.stop()
    assert events == ["hold ended", *["status"] * requests, "stop"]
