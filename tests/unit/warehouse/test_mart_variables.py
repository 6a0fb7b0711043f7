"""Windows by name, and texts that show the present numbers of dbt_project.yml."""

import pytest

from warehouse import mart_variables
from warehouse.mart_variables import UnknownWindowError, ranking_window, window_days, with_values


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {"windows": [{"id": "28d", "days": 28}, {"id": "7d", "days": 7}], "z": 1.96}
    monkeypatch.setattr(mart_variables, "mart_variables", lambda: numbers)


def test_windows_are_the_shortest_first() -> None:
    assert list(window_days().items()) == [("7d", 7), ("28d", 28)]


@pytest.mark.parametrize(("asked", "given"), [("", "28d"), ("7d", "7d"), ("all", "all")])
def test_the_longest_window_is_the_default(asked: str, given: str) -> None:
    assert ranking_window(asked) == given


def test_an_unknown_window_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownWindowError, match="'14d', fix: name one of 7d, 28d, all"):
        ranking_window("14d")


def test_values_go_to_the_rows_that_name_a_variable_and_to_no_other() -> None:
    page = "| `z` | 2 | text `z` |\n| `windows` |  | `all` |\n| `csat_rate` | 0.5 |\n| x | `z` | 3 |\n"
    assert (
        with_values(page)
        == "| `z` | 1.96 | text `z` |\n| `windows` | 7d, 28d | `all` |\n| `csat_rate` | 0.5 |\n| x | `z` | 3 |\n"
    )
