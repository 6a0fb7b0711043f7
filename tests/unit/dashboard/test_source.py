"""The source on a warehouse that is a list of answers and a clock that is turned by hand."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from dashboard import source as source_module
from dashboard.queries import Rows
from dashboard.source import Source, State, choices_question, question
from tests.unit.dashboard.conftest import ANSWERS, START, World
from warehouse.client import WarehouseError, WarehouseUnreachableError


def test_state_is_that_of_the_last_build(source: Source) -> None:
    assert source.state() == State(
        version="v1",
        data_up_to=START - timedelta(minutes=5),
        built_at=START - timedelta(minutes=4),
        first_date=date(2026, 10, 1),
        last_date=date(2026, 11, 20),
    )


def test_state_is_looked_at_once_in_a_refresh(world: World, source: Source, later: Callable[[float], None]) -> None:
    source.state()
    world.version = "v2"
    later(9)
    assert source.state().version == "v1"
    later(2)
    assert source.state().version == "v2"


def test_nobody_waits_for_the_look_of_another(
    world: World, source: Source, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    source.state()
    later(11)
    seen_meanwhile = []

    def slow_look(*_: Any) -> str:
        viewer = threading.Thread(target=lambda: seen_meanwhile.append(source.state().version))
        viewer.start()
        viewer.join(5)
        return "v2"

    monkeypatch.setattr(source_module, "table_version", slow_look)
    assert source.state().version == "v2"
    assert seen_meanwhile == ["v1"]


def test_state_is_empty_before_the_first_build(world: World, source: Source) -> None:
    world.version = None
    assert source.state() == State()


def test_state_is_empty_when_no_build_succeeded(world: World, source: Source) -> None:
    world.builds = []
    assert source.state() == State()


def test_an_answer_is_asked_for_once_a_build(world: World, source: Source, later: Callable[[float], None]) -> None:
    state = source.state()
    assert source.rows(state, question(ANSWERS, x=1)) == [[{"answer": 1}]]
    assert source.rows(state, question(ANSWERS, x=1)) == [[{"answer": 1}]]
    assert source.rows(state, question(ANSWERS, x=2)) == [[{"answer": 2}]]
    world.version = "v2"
    later(11)
    state = source.state()
    assert source.rows(state, question(ANSWERS, x=1)) == [[{"answer": 3}]]
    assert source.rows(state, question(ANSWERS, x=3)) == [[{"answer": 4}]]
    assert source.rows(state, question(ANSWERS, x=3)) == [[{"answer": 4}]]
    assert [one["x"] for one in world.asked] == [1, 2, 1, 3]


def test_a_filters_options_outlive_a_build_but_not_ten_minutes(
    world: World, source: Source, later: Callable[[float], None]
) -> None:
    assert source.rows(source.state(), choices_question(ANSWERS, x=1)) == [[{"answer": 1}]]
    world.version = "v2"
    later(11)
    assert source.rows(source.state(), choices_question(ANSWERS, x=1)) == [[{"answer": 1}]]
    assert source.rows(source.state(), question(ANSWERS, x=1)) == [[{"answer": 2}]]
    later(10 * 60)
    assert source.rows(source.state(), choices_question(ANSWERS, x=1)) == [[{"answer": 3}]]


def test_a_kept_answer_ends_by_itself(source: Source, later: Callable[[float], None]) -> None:
    state = source.state()
    source.rows(state, question(ANSWERS, x=1))
    later(10 * 60 + 1)
    assert source.rows(state, question(ANSWERS, x=1)) == [[{"answer": 2}]]


def test_answers_come_in_the_order_of_the_questions(world: World, source: Source) -> None:
    world.rows = lambda sql, **parameters: [parameters]  # type: ignore[method-assign]
    state = State("v1")
    assert source.rows(state, *(question(ANSWERS, x=number) for number in range(9))) == [
        [{"x": number}] for number in range(9)
    ]


def test_what_is_foreseen_is_asked_once(world: World, source: Source) -> None:
    asked, end, rows = threading.Event(), threading.Event(), world.rows

    def slow_rows(sql: str, **parameters: Any) -> Rows:
        if "@x" not in sql:
            return rows(sql)
        world.asked.append(parameters)
        asked.set()
        assert end.wait(5)
        return [{"answer": 1}]

    world.rows = slow_rows  # type: ignore[method-assign]
    state = State("v1")
    source.foresee(lambda _: [question(ANSWERS, x=1)])
    assert asked.wait(5)
    threading.Timer(0.1, end.set).start()
    assert source.rows(state, question(ANSWERS, x=1)) == [[{"answer": 1}]]
    assert world.asked == [{"x": 1}]


def test_a_refusal_reaches_everyone_who_asked(world: World, source: Source) -> None:
    asked, end = threading.Event(), threading.Event()

    def refuse(*_: Any, **__: Any) -> Rows:
        asked.set()
        assert end.wait(5)
        raise WarehouseError("BigQuery refused: no")

    world.rows = refuse  # type: ignore[method-assign]
    state = State("v1")
    with ThreadPoolExecutor() as viewers:
        both = [viewers.submit(source.rows, state, question(ANSWERS, x=1)) for _ in range(2)]
        assert asked.wait(5)
        threading.Timer(0.1, end.set).start()  # the other one waits for the answer by then
        assert [str(one.exception(5)) for one in both] == ["BigQuery refused: no"] * 2
    world.rows = lambda *_, **__: [{"answer": 2}]  # type: ignore[method-assign]
    assert source.rows(state, question(ANSWERS, x=1)) == [[{"answer": 2}]]


def test_kept_answers_outlive_a_warehouse_that_is_away(
    world: World, source: Source, later: Callable[[float], None]
) -> None:
    source.rows(source.state(), question(ANSWERS, x=1))
    world.version = WarehouseUnreachableError("away")
    later(3600)
    state = source.state()
    assert (state.is_reachable, state.version) == (False, "v1")
    assert source.rows(state, question(ANSWERS, x=1)) == [[{"answer": 1}]]


def test_what_was_never_asked_is_refused_at_once_while_the_warehouse_is_away(
    world: World, source: Source, later: Callable[[float], None]
) -> None:
    world.version = WarehouseUnreachableError("away")
    with pytest.raises(WarehouseUnreachableError):
        source.rows(source.state(), question(ANSWERS, x=1))
    assert world.asked == []


def test_the_source_finds_the_warehouse_again_by_itself(
    world: World, source: Source, later: Callable[[float], None]
) -> None:
    world.version = WarehouseUnreachableError("away")
    assert not source.state().is_reachable
    world.version = "v1"
    later(11)
    assert source.state().is_reachable
    assert source.rows(source.state(), question(ANSWERS, x=1)) == [[{"answer": 1}]]


def test_a_refusal_is_told_in_bigquerys_words(world: World, source: Source) -> None:
    world.version = WarehouseError("BigQuery refused: Access Denied")
    state = source.state()
    assert (state.is_reachable, state.problem) == (True, "BigQuery refused: Access Denied")


@pytest.mark.parametrize(("minutes", "is_stale"), [(14.9, False), (15.1, True)])
def test_data_are_stale_past_the_promise(minutes: float, is_stale: bool) -> None:
    state = State("v1", data_up_to=START - timedelta(minutes=minutes))
    assert state.is_stale(START, timedelta(minutes=15)) is is_stale
