from datetime import UTC, date, datetime, timedelta

import pytest

from csat.reporting import formats


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.count(1234567), "1,234,567"),
        (formats.percent(0.8316), "83.2\u202f%"),
        (formats.percent(1.0, 0), "100\u202f%"),
        (formats.interval(0.8214, 0.8436), "82.1–84.4\u202f%"),
        (formats.points(0.0042), "+0.4 points"),
        (formats.points(-0.0042), "−0.4 points"),
        (formats.points(-0.0004), "0.0 points"),
        (formats.points_interval(-0.0125, 0.0341), "−1.2 to +3.4"),
        (formats.points_interval(None, None), "–"),
        (formats.places(32), "▲\u202f32"),
        (formats.places(-1), "▼\u202f1"),
        (formats.places(0), "="),
        (formats.score(4.266), "4.27"),
        (formats.minutes(0.0), "0.0\u202fmin"),
        (formats.minutes(59.94), "59.9\u202fmin"),
        (formats.minutes(90), "1.5\u202fh"),
        (formats.minutes(531.0), "8.8\u202fh"),
        (formats.minutes(531.0000000000014), "8.8\u202fh"),
        (formats.minutes(36 * 60), "1.5\u202fd"),
        (formats.age(timedelta(seconds=59)), "just now"),
        (formats.age(timedelta(minutes=4, seconds=59)), "4\u202fmin ago"),
        (formats.age(timedelta(hours=26)), "1\u202fd ago"),
        (formats.duration(42.4), "42\u202fs"),
        (formats.duration(185), "3\u202fmin 5\u202fs"),
        (formats.duration(7800), "2\u202fh 10\u202fmin"),
        (formats.duration(3600), "1\u202fh"),
        (formats.duration(3 * 86400 + 4 * 3600 + 59), "3\u202fd 4\u202fh"),
        (formats.day(date(2026, 11, 3)), "3 Nov 2026"),
        (formats.moment(datetime(2026, 11, 3, 14, 5, 59, tzinfo=UTC)), "3 Nov 2026, 14:05 UTC"),
    ],
)
def test_figures_have_one_format(text: str, expected: str) -> None:
    assert text == expected


@pytest.mark.parametrize("text", [formats.count(None), formats.percent(None), formats.minutes(None), formats.day(None)])
def test_a_missing_value_is_a_dash(text: str) -> None:
    assert text == "–"
