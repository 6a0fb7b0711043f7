"""What a soak finds in its samples."""

import pytest

from csat.local.programs import STREAM
from tools.bench.memory import percent_per_hour
from tools.bench.soak import Soak, broken, growth

LEVEL = [{"program": STREAM, "first_mb": 900.0, "last_mb": 901.0, "percent_per_hour": 0.1}]
GROWING = [{"program": STREAM, "first_mb": 900.0, "last_mb": 920.0, "percent_per_hour": 2.0}]


def test_a_size_that_grows_by_a_tenth_of_its_mean_in_half_an_hour_grows_by_20_percent_per_hour() -> None:
    assert percent_per_hour([0, 15, 30], [95, 100, 105]) == pytest.approx(20)


def test_the_warm_up_is_ignored() -> None:
    samples = [(0.0, {STREAM: 100.0}), (20.0, {STREAM: 900.0}), (50.0, {STREAM: 900.0}), (80.0, {STREAM: 900.0})]

    assert growth(samples, warm_up_minutes=20) == [
        {"program": STREAM, "first_mb": 900.0, "last_mb": 900.0, "percent_per_hour": 0.0}
    ]


def test_a_stable_stream_without_losses_has_no_problems() -> None:
    assert broken(Soak(drivers={1}), LEVEL, judged_minutes=70) == []


@pytest.mark.parametrize(
    ("seen", "rows", "problem"),
    [
        (Soak(drivers={1}, lost=3), LEVEL, "3 rows were lost"),
        (Soak(drivers={1}, doubled=2), LEVEL, "2 rows were doubled"),
        (Soak(drivers={1, 2}), LEVEL, "the stream had 2 drivers"),
        (Soak(drivers={1}), GROWING, "the stream's memory grew by 2.0 % per hour"),
        (Soak(drivers={1}), [], "the stream's memory grew by None % per hour"),
    ],
)
def test_a_violated_guarantee_is_named(seen: Soak, rows: list[dict[str, object]], problem: str) -> None:
    assert broken(seen, rows, judged_minutes=70) == [problem]


def test_the_slope_of_a_few_minutes_is_not_evaluated() -> None:
    assert broken(Soak(drivers={1}), GROWING, judged_minutes=4) == []
