"""Windows by name, and documents with the current values of dbt_project.yml."""

import pytest

from csat.contract.errors import CsatError
from csat.reporting import variables as mart_variables
from csat.reporting.variables import ranking_window, window_days, with_values


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {"windows": [{"id": "28d", "days": 28}, {"id": "7d", "days": 7}], "z": 1.96}
    monkeypatch.setattr(mart_variables, "mart_variables", lambda: numbers)


def test_windows_are_sorted_by_length() -> None:
    assert list(window_days().items()) == [("7d", 7), ("28d", 28)]


@pytest.mark.parametrize(("name", "expected"), [("", "28d"), ("7d", "7d"), ("all", "all")])
def test_the_longest_window_is_the_default(name: str, expected: str) -> None:
    assert ranking_window(name) == expected


def test_an_unknown_window_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(CsatError, match="'14d', fix: use one of 7d, 28d, all"):
        ranking_window("14d")


def test_values_are_filled_in_only_where_a_row_names_a_variable() -> None:
    page = "| `z` | 2 | text `z` |\n| `windows` |  | `all` |\n| `csat_rate` | 0.5 |\n| x | `z` | 3 |\n"
    assert (
        with_values(page)
        == "| `z` | 1.96 | text `z` |\n| `windows` | 7d, 28d | `all` |\n| `csat_rate` | 0.5 |\n| x | `z` | 3 |\n"
    )
