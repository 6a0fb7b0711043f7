"""The formats of figures on the dashboard and in the terminal. A missing value is a dash."""

from datetime import UTC, date, datetime, timedelta

MISSING = "–"
_MINUS = "\N{MINUS SIGN}"
_NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


def count(value: int | None) -> str:
    """12,345."""
    return MISSING if value is None else f"{value:,}".replace("-", _MINUS)


def percent(rate: float | None, digits: int = 1) -> str:
    """83.2 % of a rate of 0.832."""
    return MISSING if rate is None else f"{rate:.{digits}%}".replace("%", f"{_NARROW_SPACE}%")


def interval(low: float | None, high: float | None) -> str:
    """82.1–84.3 % of two rates."""
    if low is None or high is None:
        return MISSING
    return f"{low * 100:.1f}–{percent(high)}"


def points(difference: float | None) -> str:
    """+0.4 points of a difference of rates of 0.004."""
    return MISSING if difference is None else f"{signed(difference * 100)} points"


def points_interval(low: float | None, high: float | None) -> str:
    """−0.5 to +1.3 of two differences of rates of −0.005 and 0.013."""
    return MISSING if low is None or high is None else f"{signed(low * 100)} to {signed(high * 100)}"


def signed(value: float, digits: int = 1) -> str:
    """+1.5, −1.5, or 0.0 where the value rounds to zero."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else _MINUS}{text}"


def places(change: int | None) -> str:
    """▲ 3 for three ranks gained, ▼ 3 for three lost."""
    if change is None:
        return MISSING
    if change == 0:
        return "="
    return f"{'▲' if change > 0 else '▼'}{_NARROW_SPACE}{abs(change)}"


def score(value: float | None) -> str:
    """4.27."""
    return MISSING if value is None else f"{value:.2f}"


def minutes(value: float | None) -> str:
    """A duration in the largest unit that fits: 6.5 min, 2.3 h or 1.8 d."""
    if value is None:
        return MISSING
    value = round(value, 6)  # 531 minutes are 8.8 h, also where an interpolated quantile has a rounding error
    for size, unit in ((24 * 60, "d"), (60, "h")):
        if value >= size:
            return f"{value / size:.1f}{_NARROW_SPACE}{unit}"
    return f"{value:.1f}{_NARROW_SPACE}min"


def age(duration: timedelta) -> str:
    """How long ago: just now, 4 min ago, 3 h ago, 2 d ago."""
    seconds = duration.total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f}{_NARROW_SPACE}{unit} ago"
    return "just now"


def duration(seconds: float | None) -> str:
    """42 s, 3 min 5 s, 2 h 10 min or 3 d 4 h."""
    if seconds is None:
        return MISSING
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_NARROW_SPACE}s"
    units = ((60, "min", 1, "s"), (3_600, "h", 60, "min"), (86_400, "d", 3_600, "h"))
    size, large, part, small = [unit for unit in units if whole >= unit[0]][-1]
    rest = whole % size // part
    return f"{whole // size}{_NARROW_SPACE}{large}" + (f" {rest}{_NARROW_SPACE}{small}" if rest else "")


def day(value: date | None) -> str:
    """23 Nov 2026."""
    return MISSING if value is None else f"{value.day} {value:%b %Y}"


def moment(value: datetime | None) -> str:
    """23 Nov 2026, 14:05 UTC."""
    if value is None:
        return MISSING
    utc = value.astimezone(UTC)
    return f"{day(utc.date())}, {utc:%H:%M} UTC"
