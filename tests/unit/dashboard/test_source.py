"""The source on a fake warehouse with a manual clock."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from csat.bigquery.client import WarehouseError, WarehouseUnreachableError
from csat.bigquery.query import Rows
from csat.dashboard import source as source_module
from csat.dashboard.source import Failure, Source, State, bind, bind_choices
from csat.dashboard.status import status_line
from tests.unit.dashboard.conftest import RESPONSES, START, FakeWarehouse


def test_state_is_that_of_the_last_build(source: Source) -> None:
    assert source.state() == State(
        version="v1",
        data_up_to=START - timedelta(minutes=5),
        built_at=START - timedelta(minutes=4),
        first_date=date(2026, 10, 1),
        last_date=date(2026, 11, 20),
    )


def test_state_is_checked_once_per_refresh_interval(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    source.state()
    warehouse.version = "v2"
    later(9)
    assert source.state().version == "v1"
    later(2)
    assert source.state().version == "v2"


def test_no_viewer_waits_for_the_check_of_another(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    source.state()
    later(11)
    seen_meanwhile = []

    def slow_check(_: object, table: str, *__: Any) -> str:
        if table.endswith("dbt_tests"):
            return "t1"
        viewer = threading.Thread(target=lambda: seen_meanwhile.append(source.state().version))
        viewer.start()
        viewer.join(5)
        return "v2"

    monkeypatch.setattr(source_module, "table_version", slow_check)
    assert source.state().version == "v2"
    assert seen_meanwhile == ["v1"]


def test_state_is_empty_before_the_first_build(warehouse: FakeWarehouse, source: Source) -> None:
    warehouse.version = None
    assert source.state() == State()


def test_state_is_empty_when_no_build_succeeded(warehouse: FakeWarehouse, source: Source) -> None:
    warehouse.builds = []
    assert source.state() == State()


FAILED = {"kind": "test", "name": "not_null_x", "model": "fct_y", "failed_at": START}


def test_state_names_the_test_that_failed_since_the_build_until_a_later_one_is_published(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    assert source.state().failure is None
    warehouse.failures, warehouse.tests_version = [FAILED], "t2"
    later(11)
    assert source.state().failure == Failure("test", "not_null_x", "fct_y", START)
    warehouse.failures, warehouse.version = [], "v2"
    later(11)
    assert source.state().failure is None


def test_failures_are_queried_once_for_each_build(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    for _ in range(3):
        source.state()
        later(11)
    assert warehouse.failure_queries == 1
    warehouse.tests_version = "t2"
    source.state()
    assert warehouse.failure_queries == 2


def test_figures_are_shown_where_the_failures_cannot_be_read(
    warehouse: FakeWarehouse, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = warehouse.rows

    def refuse_failures(sql: str, **parameters: Any) -> Rows:
        if "dbt_tests" in sql:
            raise WarehouseError("no")
        return rows(sql, **parameters)

    monkeypatch.setattr(warehouse, "rows", refuse_failures)
    assert (source.state().version, source.state().failure) == ("v1", None)


@pytest.mark.parametrize(
    ("kind", "name", "what"),
    [("test", "not_null_x", "the test not_null_x of fct_y"), ("model", "fct_y", "the model fct_y")],
)
def test_the_status_line_says_when_the_figures_were_built_and_what_failed_since(
    kind: str, name: str, what: str
) -> None:
    failure = Failure(kind, name, "fct_y", START)
    state = State("v1", data_up_to=START, built_at=START - timedelta(minutes=30), failure=failure)
    assert (
        f"These figures were built on 20 Nov 2026, 11:30 UTC; in a later build {what} failed on 20 Nov 2026, 12:00 UTC."
        in status_line(state, timedelta(minutes=15), [], START)
    )


def test_a_query_runs_once_per_build(warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]) -> None:
    state = source.state()
    assert source.rows(state, bind(RESPONSES, x=1)) == [[{"row": 1}]]
    assert source.rows(state, bind(RESPONSES, x=1)) == [[{"row": 1}]]
    assert source.rows(state, bind(RESPONSES, x=2)) == [[{"row": 2}]]
    warehouse.version = "v2"
    later(11)
    state = source.state()
    assert source.rows(state, bind(RESPONSES, x=1)) == [[{"row": 3}]]
    assert source.rows(state, bind(RESPONSES, x=3)) == [[{"row": 4}]]
    assert source.rows(state, bind(RESPONSES, x=3)) == [[{"row": 4}]]
    assert [one["x"] for one in warehouse.queried] == [1, 2, 1, 3]


def test_a_filters_options_outlive_a_build_but_not_ten_minutes(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    assert source.rows(source.state(), bind_choices(RESPONSES, x=1)) == [[{"row": 1}]]
    warehouse.version = "v2"
    later(11)
    assert source.rows(source.state(), bind_choices(RESPONSES, x=1)) == [[{"row": 1}]]
    assert source.rows(source.state(), bind(RESPONSES, x=1)) == [[{"row": 2}]]
    later(10 * 60)
    assert source.rows(source.state(), bind_choices(RESPONSES, x=1)) == [[{"row": 3}]]


def test_cached_rows_expire(source: Source, later: Callable[[float], None]) -> None:
    state = source.state()
    source.rows(state, bind(RESPONSES, x=1))
    later(10 * 60 + 1)
    assert source.rows(state, bind(RESPONSES, x=1)) == [[{"row": 2}]]


def test_rows_come_in_the_order_of_the_queries(
    warehouse: FakeWarehouse, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "rows", lambda sql, **parameters: [parameters])
    state = State("v1")
    assert source.rows(state, *(bind(RESPONSES, x=number) for number in range(9))) == [
        [{"x": number}] for number in range(9)
    ]


def test_a_prefetched_query_runs_once(
    warehouse: FakeWarehouse, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, end, rows = threading.Event(), threading.Event(), warehouse.rows

    def slow_rows(sql: str, **parameters: Any) -> Rows:
        if "@x" not in sql:
            return rows(sql)
        warehouse.queried.append(parameters)
        started.set()
        assert end.wait(5)
        return [{"row": 1}]

    monkeypatch.setattr(warehouse, "rows", slow_rows)
    state = State("v1")
    source.prefetch(lambda _: [bind(RESPONSES, x=1)])
    assert started.wait(5)
    threading.Timer(0.1, end.set).start()
    assert source.rows(state, bind(RESPONSES, x=1)) == [[{"row": 1}]]
    assert warehouse.queried == [{"x": 1}]


def test_an_error_reaches_every_viewer_who_waits(
    warehouse: FakeWarehouse, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, end = threading.Event(), threading.Event()

    def refuse(*_: Any, **__: Any) -> Rows:
        started.set()
        assert end.wait(5)
        raise WarehouseError("BigQuery refused: no")

    monkeypatch.setattr(warehouse, "rows", refuse)
    state = State("v1")
    with ThreadPoolExecutor() as viewers:
        both = [viewers.submit(source.rows, state, bind(RESPONSES, x=1)) for _ in range(2)]
        assert started.wait(5)
        threading.Timer(0.1, end.set).start()  # the other viewer waits for the result by then
        assert [str(one.exception(5)) for one in both] == ["BigQuery refused: no"] * 2
    monkeypatch.setattr(warehouse, "rows", lambda *_, **__: [{"row": 2}])
    assert source.rows(state, bind(RESPONSES, x=1)) == [[{"row": 2}]]


def test_cached_rows_stay_while_the_warehouse_is_unreachable(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    source.rows(source.state(), bind(RESPONSES, x=1))
    warehouse.version = WarehouseUnreachableError("offline")
    source.state()
    later(3600)
    source.state()
    later(11)
    state = source.state()
    assert (state.is_reachable, state.version) == (False, "v1")
    assert source.rows(state, bind(RESPONSES, x=1)) == [[{"row": 1}]]


def test_expired_rows_outlast_a_query_that_fails(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    """A viewer may request them before the source knows that the warehouse is unreachable."""
    reachable = source.state()
    source.rows(reachable, bind(RESPONSES, x=1))
    later(10 * 60 + 1)
    warehouse.version = WarehouseUnreachableError("offline")
    with pytest.raises(WarehouseUnreachableError):
        source.rows(reachable, bind(RESPONSES, x=1))
    source.state()
    later(11)
    assert source.rows(source.state(), bind(RESPONSES, x=1)) == [[{"row": 1}]]


def test_an_uncached_query_fails_at_once_while_the_warehouse_is_unreachable(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    warehouse.version = WarehouseUnreachableError("offline")
    with pytest.raises(WarehouseUnreachableError):
        source.rows(source.state(), bind(RESPONSES, x=1))
    assert warehouse.queried == []


def test_the_source_reconnects_to_the_warehouse(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    warehouse.version = WarehouseUnreachableError("offline")
    assert not source.state().is_reachable
    warehouse.version = "v1"
    later(11)
    assert source.state().is_reachable
    assert source.rows(source.state(), bind(RESPONSES, x=1)) == [[{"row": 1}]]


def test_one_missed_check_is_no_lost_connection(
    warehouse: FakeWarehouse, source: Source, later: Callable[[float], None]
) -> None:
    missed = WarehouseUnreachableError("slow")
    answers: list[str | Exception] = [missed, "v1", missed, missed, missed, "v1"]
    seen = []
    source.state()
    for answer in answers:
        warehouse.version = answer
        later(11)
        seen.append(source.state().is_reachable)
    assert seen == [True, True, True, False, False, True]


def test_a_first_check_that_fails_has_no_figures_to_show(warehouse: FakeWarehouse, source: Source) -> None:
    warehouse.version = WarehouseUnreachableError("offline")
    assert not source.state().is_reachable


def test_an_error_has_bigquerys_message(warehouse: FakeWarehouse, source: Source) -> None:
    warehouse.version = WarehouseError("BigQuery refused: Access Denied")
    state = source.state()
    assert (state.is_reachable, state.problem) == (True, "BigQuery refused: Access Denied")


@pytest.mark.parametrize(("minutes", "is_stale"), [(14.9, False), (15.1, True)])
def test_data_are_stale_after_the_freshness_target(minutes: float, is_stale: bool) -> None:
    state = State("v1", data_up_to=START - timedelta(minutes=minutes))
    assert state.is_stale(START, timedelta(minutes=15)) is is_stale
