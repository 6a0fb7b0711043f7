"""The windows that rankings are shown for are those of dbt_project.yml."""

from typing import Any

import pytest

from csat.settings import Settings
from warehouse import mart_queries, mart_variables


class FakeWarehouse:
    """Remembers the window that was asked for."""

    settings = Settings(_env_file=None)
    window = ""

    def rows(self, _: str, **parameters: Any) -> list[dict[str, Any]]:
        self.window = parameters["window_id"]
        return []


@pytest.fixture(autouse=True)
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"windows": [{"id": "28d", "days": 28}, {"id": "7d", "days": 7}]}
    monkeypatch.setattr(mart_variables, "mart_variables", lambda: variables)


def test_windows_are_the_shortest_first() -> None:
    assert list(mart_variables.window_days().items()) == [("7d", 7), ("28d", 28)]


@pytest.mark.parametrize(("asked", "given"), [("", "28d"), ("7d", "7d"), ("all", "all")])
def test_the_longest_window_is_the_default(asked: str, given: str) -> None:
    fake: Any = FakeWarehouse()
    mart_queries.leaderboard(fake, asked)
    assert fake.window == given


def test_an_unknown_window_is_refused_with_those_that_there_are() -> None:
    fake: Any = FakeWarehouse()
    with pytest.raises(mart_queries.UnknownWindowError, match="'14d', fix: name one of 7d, 28d, all"):
        mart_queries.categories(fake, "14d")
