"""The demo waits for its rows and its marts, and names what to read if they do not arrive."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from csat.clients import airflow_api
from csat.contract.errors import CsatError
from csat.contract.settings import Settings
from csat.local import demo

WAREHOUSE: Any = SimpleNamespace(settings=Settings(_env_file=None))
RECORD = SimpleNamespace(accepted_count=9, response_count=9, built_at=datetime(2026, 11, 20, 12, 30, tzinfo=UTC))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_POLL_SECONDS", 0)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests to Airflow, which runs nothing."""
    requests: list[str] = []

    def call(_: Settings, method: str, *__: Any) -> dict[str, Any]:
        requests.append(method)
        return {"dag_runs": []}

    monkeypatch.setattr(airflow_api, "call", call)
    return requests


def counts(monkeypatch: pytest.MonkeyPatch, *rows: int) -> None:
    left: Iterator[int] = iter(rows)
    monkeypatch.setattr(demo, "landing_counts", lambda _: {"rows": (now := next(left)), "accepted": now - 1})


def test_demo_reports_each_number_of_landed_rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts(monkeypatch, 0, 0, 4, 10)
    lines: list[str] = []
    assert demo._wait_for_landing(WAREHOUSE, 10, lines.append) == 9
    assert lines == ["0 of 10 responses have landed", "4 of 10 responses have landed", "all 10 responses have landed"]


def test_demo_names_what_landed_when_the_rest_does_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    counts(monkeypatch, 4)
    monkeypatch.setattr(demo, "_LANDING_SECONDS", 0)
    with pytest.raises(CsatError, match="only 4 of 10 responses landed in time, fix: csat status; csat logs stream"):
        demo._wait_for_landing(WAREHOUSE, 10, lambda _: None)


def test_demo_triggers_builds_until_one_has_all_rows(monkeypatch: pytest.MonkeyPatch, requests: list[str]) -> None:
    records = iter([None, SimpleNamespace(accepted_count=8), RECORD])
    monkeypatch.setattr(demo, "last_record", lambda _: next(records))
    lines: list[str] = []
    demo._wait_for_marts(WAREHOUSE, 9, lines.append)
    assert requests == ["GET", "POST", "GET", "POST"]
    assert lines[-1] == "the marts of 12:30 UTC hold 9 responses"


def test_demo_names_the_logs_of_the_build_that_does_not_end(
    monkeypatch: pytest.MonkeyPatch, requests: list[str]
) -> None:
    monkeypatch.setattr(demo, "last_record", lambda _: None)
    monkeypatch.setattr(demo, "_MARTS_SECONDS", 0)
    with pytest.raises(CsatError, match="the marts were not built in time, fix: read the logs of build_marts in"):
        demo._wait_for_marts(WAREHOUSE, 9, lambda _: None)
    assert requests == ["GET", "POST"]
