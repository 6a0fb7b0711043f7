"""The refresh after a new build: the queries that viewers repeat run on it before they see it."""

from collections.abc import Callable
from typing import Any

import pytest

from csat.bigquery.client import WarehouseError
from csat.bigquery.query import Rows
from csat.dashboard import source as source_module
from csat.dashboard.source import Source, bind
from tests.unit.dashboard.conftest import RESPONSES, FakeWarehouse, ManualExecutor


def request(source: Source, *numbers: int) -> list[Rows]:
    """What a viewer sees who requests these numbers from the current build."""
    return source.rows(source.state(), *(bind(RESPONSES, x=number) for number in numbers))


def test_repeated_queries_run_on_a_new_build_before_viewers_see_it(
    warehouse: FakeWarehouse, source: Source, refresher: ManualExecutor, later: Callable[[float], None]
) -> None:
    for number in (1, 2, 1, 2):
        request(source, number)
    refresher.is_paused = True
    warehouse.version = "v2"
    later(11)
    assert source.state().version == "v1"
    assert request(source, 1) == [[{"row": 1}]]
    refresher.run_all()
    assert source.state().version == "v2"
    assert [one["x"] for one in warehouse.queried] == [1, 2, 1, 2]
    assert request(source, 1, 2) == [[{"row": 3}], [{"row": 4}]]


def test_queries_requested_from_two_builds_are_refreshed_and_others_are_not(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    """A page that stays open requests its queries once from each build."""
    request(source, 1)
    warehouse.version = "v2"
    later(11)
    request(source, 1)
    request(source, 2)
    assert [one["x"] for one in warehouse.queried] == [1, 1, 2]
    warehouse.version = "v3"
    later(11)
    source.state()
    assert [one["x"] for one in warehouse.queried] == [1, 1, 2, 1]


def test_queries_that_nobody_requests_are_refreshed_once(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    for number in (1, 2, 1, 2):
        request(source, number)
    warehouse.version = "v2"
    later(11)
    request(source, 1)
    warehouse.version = "v3"
    later(11)
    assert source.state().version == "v3"
    assert [one["x"] for one in warehouse.queried] == [1, 2, 2, 1, 1]


def test_a_prefetch_and_the_request_after_it_count_once(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    source.prefetch(lambda state: [bind(RESPONSES, x=1)])
    request(source, 1)
    warehouse.version = "v2"
    later(11)
    source.state()
    assert [one["x"] for one in warehouse.queried] == [1]


def test_only_the_latest_queries_are_refreshed(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    for number in [*range(10), *range(10), 0]:
        request(source, number)
    warehouse.queried.clear()
    warehouse.version = "v2"
    later(11)
    source.state()
    assert [one["x"] for one in warehouse.queried] == [0, 9, 8, 7, 6, 5]


def test_a_new_build_waits_a_few_seconds_at_most(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 1, 2):
        request(source, number)
    warehouse.queried.clear()
    monkeypatch.setattr(source_module, "_REFRESH_SECONDS", 0)
    warehouse.version = "v2"
    later(11)
    assert source.state().version == "v2"
    assert warehouse.queried == []


def test_a_failing_query_does_not_delay_a_new_build(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    request(source, 1)
    request(source, 1)
    rows = warehouse.rows

    def refuse(sql: str, **parameters: Any) -> Rows:
        if parameters:
            raise WarehouseError("BigQuery refused: too much")
        return rows(sql)

    monkeypatch.setattr(warehouse, "rows", refuse)
    warehouse.version = "v2"
    later(11)
    state = source.state()
    assert (state.version, state.problem) == ("v2", "")
    with pytest.raises(WarehouseError, match="too much"):
        source.rows(state, bind(RESPONSES, x=1))


def test_builds_that_cannot_be_read_are_read_at_the_next_check(
    warehouse: FakeWarehouse, source: Source, refresher: ManualExecutor, later: Callable[[float], None]
) -> None:
    source.state()
    refresher.is_paused = True
    warehouse.version = "v2"
    later(11)
    assert source.state().version == "v1"
    warehouse.read_error = WarehouseError("BigQuery refused: no")
    refresher.run_all()
    state = source.state()
    assert (state.version, state.problem) == ("v1", "BigQuery refused: no")
    warehouse.read_error = None
    refresher.is_paused = False
    later(11)
    state = source.state()
    assert (state.version, state.problem) == ("v2", "")
