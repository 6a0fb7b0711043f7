"""The source on a warehouse that is a list of answers and a clock that is turned by hand."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from csat.settings import Settings
from dashboard import source as source_module
from dashboard.queries import Query, Rows
from dashboard.source import Source, State, choices_question, question
from warehouse.client import WarehouseError, WarehouseUnreachableError

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
ANSWERS = Query("select answers from {agent_leaderboard} where x = @x")
BUILD = {"watermark_to": START - timedelta(minutes=5), "built_at": START - timedelta(minutes=4)}
DATES = {"first_date": date(2026, 10, 1), "last_date": date(2026, 11, 20)}


class World:
    """What the source sees of the world, and what it asked."""

    def __init__(self) -> None:
        self.settings = Settings(_env_file=None, dashboard_refresh_seconds=10)
        self.now = START
        self.version: str | Exception | None = "v1"
        self.builds: Rows = [BUILD]
        self.asked: list[dict[str, Any]] = []

    def rows(self, sql: str, **parameters: Any) -> Rows:
        if "mart_builds" in sql:
            return self.builds
        if "min(leaderboard_date)" in sql:
            return [DATES]
        self.asked.append(parameters)
        if isinstance(self.version, Exception):
            raise self.version
        return [{"answer": len(self.asked)}]

    def look(self, *_: Any) -> str | None:
        if isinstance(self.version, Exception):
            raise self.version
        return self.version


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def source(world: World, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr(source_module, "table_version", world.look)
    return Source(world.settings, world, clock=lambda: world.now)  # type: ignore[arg-type]


@pytest.fixture
def later(world: World) -> Callable[[float], None]:
    """Turns the clock on."""

    def turn(seconds: float) -> None:
        world.now += timedelta(seconds=seconds)

    return turn


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
    assert source.rows(source.state(), question(ANSWERS, x=1)) == [[{"answer": 3}]]
    assert [one["x"] for one in world.asked] == [1, 2, 1]


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
