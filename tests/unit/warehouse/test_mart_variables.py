"""The windows that rankings are shown for are those of dbt_project.yml."""

import pytest

from warehouse.mart_variables import UnknownWindowError, ranking_window, window_days


def test_windows_are_the_shortest_first() -> None:
    assert window_days() == {"7d": 7, "28d": 28}


@pytest.mark.parametrize(("asked", "given"), [("", "28d"), ("7d", "7d"), ("all", "all")])
def test_the_longest_window_is_the_default(asked: str, given: str) -> None:
    assert ranking_window(asked) == given


def test_an_unknown_window_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownWindowError, match="'14d', fix: name one of 7d, 28d, all"):
        ranking_window("14d")
