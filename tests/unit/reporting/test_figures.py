import pytest

from csat.reporting.figures import NO_RESPONSES, Tally, change, wilson_interval


@pytest.mark.parametrize(
    ("responses", "satisfied", "low", "high"),
    [
        (1, 1, 0.2065, 1.0),
        (12, 10, 0.5520, 0.9530),
        (50, 45, 0.7864, 0.9565),
        (200, 180, 0.8506, 0.9343),
        (20, 0, 0.0, 0.1611),
    ],
)
def test_wilson_interval_is_that_of_the_textbook(responses: int, satisfied: int, low: float, high: float) -> None:
    interval = wilson_interval(Tally(responses, satisfied))
    assert interval is not None
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_there_is_no_rate_interval_or_change_without_responses() -> None:
    assert NO_RESPONSES.csat_rate is None
    assert wilson_interval(NO_RESPONSES) is None
    assert change(Tally(10, 9), NO_RESPONSES) is None


def test_change_has_newcombes_interval() -> None:
    # Newcombe (1998), method 10, example (a): 56/70 against 48/80
    moved = change(Tally(70, 56), Tally(80, 48))
    assert moved is not None
    assert round(moved.difference, 4) == 0.2
    assert (round(moved.interval.low, 4), round(moved.interval.high, 4)) == (0.0524, 0.3339)


def is_significant(now: Tally, before: Tally) -> bool | None:
    moved = change(now, before)
    assert moved is not None
    return moved.is_significant


def test_change_is_significant_only_with_enough_responses() -> None:
    # 50 % to 70 %: z = 0.2 / sqrt(0.24 * 2 / n)
    assert is_significant(Tally(100, 70), Tally(100, 50))
    assert is_significant(Tally(99, 70), Tally(100, 50)) is None
    assert is_significant(Tally(100, 60), Tally(100, 50)) is False


def test_equal_perfect_rates_have_no_test() -> None:
    assert is_significant(Tally(200, 200), Tally(200, 200)) is None
