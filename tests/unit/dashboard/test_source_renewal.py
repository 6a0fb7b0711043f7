"""A new build and the source: what viewers took last is asked of it before they see it."""

from collections.abc import Callable
from typing import Any

import pytest

from dashboard import source as source_module
from dashboard.queries import Rows
from dashboard.source import Source, question
from tests.unit.dashboard.conftest import ANSWERS, Turn, World
from warehouse.client import WarehouseError


def test_what_was_taken_last_is_asked_of_a_new_build_before_it_is_seen(
    world: World, source: Source, renewer: Turn, later: Callable[[float], None]
) -> None:
    state = source.state()
    source.rows(state, question(ANSWERS, x=1))
    source.rows(state, question(ANSWERS, x=2))
    renewer.is_held = True
    world.version = "v2"
    later(11)
    assert source.state().version == "v1"
    assert source.rows(source.state(), question(ANSWERS, x=1)) == [[{"answer": 1}]]
    renewer.end()
    state = source.state()
    assert state.version == "v2"
    assert [one["x"] for one in world.asked] == [1, 2, 1, 2]
    assert source.rows(state, question(ANSWERS, x=1)) == [[{"answer": 3}]]
    assert source.rows(state, question(ANSWERS, x=2)) == [[{"answer": 4}]]


def test_what_nobody_takes_is_renewed_once(world: World, source: Source, later: Callable[[float], None]) -> None:
    state = source.state()
    source.rows(state, question(ANSWERS, x=1))
    source.rows(state, question(ANSWERS, x=2))
    world.version = "v2"
    later(11)
    source.rows(source.state(), question(ANSWERS, x=1))
    world.version = "v3"
    later(11)
    assert source.state().version == "v3"
    assert [one["x"] for one in world.asked] == [1, 2, 2, 1, 1]


def test_only_the_last_questions_are_renewed(world: World, source: Source, later: Callable[[float], None]) -> None:
    state = source.state()
    for number in [*range(10), 0]:
        source.rows(state, question(ANSWERS, x=number))
    world.asked.clear()
    world.version = "v2"
    later(11)
    source.state()
    assert [one["x"] for one in world.asked] == [0, 9, 8, 7, 6, 5]


def test_a_new_build_waits_no_longer_than_a_few_seconds(
    world: World, source: Source, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = source.state()
    for number in range(3):
        source.rows(state, question(ANSWERS, x=number))
    world.asked.clear()
    monkeypatch.setattr(source_module, "_RENEWAL_SECONDS", 0)
    world.version = "v2"
    later(11)
    assert source.state().version == "v2"
    assert world.asked == []


def test_a_question_that_is_refused_does_not_hold_a_new_build_back(
    world: World, source: Source, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    source.rows(source.state(), question(ANSWERS, x=1))
    refused = WarehouseError("BigQuery refused: too much")

    def refuse(*_: Any, **__: Any) -> Rows:
        raise refused

    monkeypatch.setattr(source, "_ask", refuse)
    world.version = "v2"
    later(11)
    state = source.state()
    assert (state.version, state.problem) == ("v2", "")
    with pytest.raises(WarehouseError, match="too much"):
        source.rows(state, question(ANSWERS, x=1))


def test_builds_that_cannot_be_read_are_read_at_the_next_look(
    world: World, source: Source, renewer: Turn, later: Callable[[float], None]
) -> None:
    source.state()
    renewer.is_held = True
    world.version = "v2"
    later(11)
    assert source.state().version == "v1"
    world.read_error = WarehouseError("BigQuery refused: no")
    renewer.end()
    state = source.state()
    assert (state.version, state.problem) == ("v1", "BigQuery refused: no")
    world.read_error = None
    renewer.is_held = False
    later(11)
    state = source.state()
    assert (state.version, state.problem) == ("v2", "")
