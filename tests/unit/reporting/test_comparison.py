"""What the reports say of comparisons with the previous period."""

from datetime import date

import pytest

from csat.reporting.comparison import by_chance, has_enough, has_previous, verdict

LAST = date(2026, 11, 28)


def test_the_previous_period_begins_after_the_first_date_of_the_marts() -> None:
    assert has_previous("7d", date(2026, 11, 14), LAST)  # 15 to 21 November
    assert not has_previous("7d", date(2026, 11, 15), LAST)
    assert not has_previous("all", date(2020, 1, 1), LAST)


def test_a_change_needs_enough_responses_in_both_periods() -> None:
    assert has_enough(100, 100)
    assert not has_enough(99, 100)
    assert not has_enough(100, 99)
    assert not has_enough(100, None)


@pytest.mark.parametrize(
    ("is_significant", "word"), [(True, "significant"), (False, "not significant"), (None, "not testable")]
)
def test_a_change_without_a_test_is_not_called_insignificant(is_significant: bool | None, word: str) -> None:
    assert verdict(is_significant) == word


def test_only_changes_that_can_be_tested_count_among_those_expected_by_chance() -> None:
    rows = [{"is_significant": found, "csat_change": 0.0} for found in (True, *[False] * 29, *[None] * 70)]
    assert by_chance(rows) == ("Of 30 changes that can be tested, about 1.5 would look significant by chance alone.")
