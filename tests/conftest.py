"""What every test may use: one answer to send, one fixed moment."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from csat.local.java import java_variables

# Folders whose tests use one stack. The longest begin first, and the whole platforms not beside each other: a worker
# takes what follows a folder of few tests together with it
_SHARED = ("tests/chaos/", "tests/integration/dashboard/", "tests/e2e/")

# The JVMs of tests live for a minute: without the second compiler, and with the plainest collector, they need half as
# much CPU for it
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
os.environ.update(java_variables())  # for a Spark in a test's own process

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

RESPONSE: dict[str, Any] = {
    "response_id": "11111111-1111-4111-8111-111111111111",
    "schema_version": 1,
    "case_id": "22222222-2222-4222-8222-222222222222",
    "channel": "Inbound",
    "category": "Returns",
    "sub_category": "Return request",
    "order_id": None,
    "product_category": None,
    "item_price": None,
    "customer_city": None,
    "customer_remarks": None,
    "issue_reported_at": "2026-11-20T10:00:00+00:00",
    "issue_responded_at": "2026-11-20T10:05:00Z",
    "survey_answered_at": "2026-11-20T11:00:00.123456Z",
    "agent_id": "agent-0001",
    "agent_name": "Ada",
    "supervisor_name": "Sam",
    "manager_name": "Max",
    "tenure_bucket": ">90",
    "shift": "Morning",
    "csat_score": 5,
}


@pytest.fixture
def now() -> datetime:
    """The moment that tests take for now."""
    return NOW


@pytest.fixture
def make_message() -> Callable[..., bytes]:
    """Makes a message: a valid response with the given fields changed; a field set to ... is omitted."""

    def make(**changes: Any) -> bytes:
        event = RESPONSE | changes
        return json.dumps({name: value for name, value in event.items() if value is not ...}).encode()

    return make


def _scope(nodeid: str) -> str:
    """What a test stays together with: its folder where that has one stack, or its file."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in _SHARED if file.startswith(folder)), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first: two workers end together."""
    places = {scope: place for place, scope in enumerate(_SHARED)}
    items.sort(key=lambda item: places.get(_scope(item.nodeid), len(places)))


@pytest.hookimpl(optionalhook=True)  # Airflow's environment has no xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together, on one worker, the tests of a file, and of a folder whose tests use one stack."""
    from xdist.scheduler import LoadScopeScheduling

    class ByStack(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _scope(nodeid)

    return ByStack(config, log)
