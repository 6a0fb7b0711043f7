"""A new build and the source: what viewers take again and again is asked of it before they see it."""

from collections.abc import Callable
from typing import Any

import pytest

from dashboard import source as source_module
from dashboard.queries import Rows
from dashboard.source import Source, question
from tests.unit.dashboard.conftest import ANSWERS, Turn, World
from warehouse.client import WarehouseError


def take(source: Source, *numbers: int) -> list[Rows]:
    """What a viewer sees who asks these questions of the build of now."""
    return source.rows(source.state(), *(question(ANSWERS, x=number) for number in numbers))


def test_what_was_taken_again_is_asked_of_a_new_build_before_it_is_seen(
    world: World, source: Source, renewer: Turn, later: Callable[[float], None]
) -> None:
    for number in (1, 2, 1, 2):
        take(source, number)
    renewer.is_held = True
    world.version = "v2"
    later(11)
    assert source.state().version == "v1"
    assert take(source, 1) == [[{"answer": 1}]]
    renewer.end()
    assert source.state().version == "v2"
    assert [one["x"] for one in world.asked] == [1, 2, 1, 2]
    assert take(source, 1, 2) == [[{"answer": 3}], [{"answer": 4}]]


def test_what_was_taken_of_two_builds_is_renewed_and_what_was_taken_once_is_not(
    world: World, source: Source, later: Callable[[float], None]
) -> None:
    """A page that stays open takes its questions once of each build."""
    take(source, 1)
    world.version = "v2"
    later(11)
    take(source, 1)
    take(source, 2)
    assert [one["x"] for one in world.asked] == [1, 1, 2]
    world.version = "v3"
    later(11)
    source.state()
    assert [one["x"] for one in world.asked] == [1, 1, 2, 1]


def test_what_nobody_takes_is_renewed_once(world: World, source: Source, later: Callable[[float], None]) -> None:
    for number in (1, 2, 1, 2):
        take(source, number)
    world.version = "v2"
    later(11)
    take(source, 1)
    world.version = "v3"
    later(11)
    assert source.state().version == "v3"
    assert [one["x"] for one in world.asked] == [1, 2, 2, 1, 1]


def test_what_a_page_foresees_and_then_takes_is_taken_once(
    world: World, source: Source, later: Callable[[float], None]
) -> None:
    source.foresee(lambda state: [question(ANSWERS, x=1)])
    take(source, 1)
    world.version = "v2"
    later(11)
    source.state()
    assert [one["x"] for one in world.asked] == [1]


def test_only_the_last_questions_are_renewed(world: World, source: Source, later: Callable[[float], None]) -> None:
    for number in [*range(10), *range(10), 0]:
        take(source, number)
    world.asked.clear()
    world.version = "v2"
    later(11)
    source.state()
    assert [one["x"] for one in world.asked] == [0, 9, 8, 7, 6, 5]


def test_a_new_build_waits_no_longer_than_a_few_seconds(
    world: World, source: Source, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 1, 2):
        take(source, number)
    world.asked.clear()
    monkeypatch.setattr(source_module, "_RENEWAL_SECONDS", 0)
    world.version = "v2"
    later(11)
    assert source.state().version == "v2"
    assert world.asked == []


def test_a_question_that_is_refused_does_not_hold_a_new_build_back(
    world: World, source: Source, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    take(source, 1)
    take(source, 1)
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
