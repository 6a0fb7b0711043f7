"""When a line of a log was written. Each program has its own format; a time without a zone is of this machine's."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

_TIME = re.compile(
    r"^\[?(?P<date>\d{2}(?:\d{2})?[-/]\d{2}[-/]\d{2})[T ](?P<time>\d{2}:\d{2}:\d{2})"
    r"(?:[.,]\d+)?(?P<zone>Z| UTC|[+-]\d{2}:?\d{2})?"
)


def line_time(line: str) -> datetime | None:
    """The time at the start of a line, with a zone, to the second; None if it has none."""
    found = _TIME.match(line)
    if found is None:
        return None
    day = found["date"].replace("/", "-")
    century = "20" if len(day) == 8 else ""  # Spark's log4j writes 26/11/29
    zone = (found["zone"] or "").strip().replace("UTC", "Z")
    try:
        return datetime.fromisoformat(f"{century}{day}T{found['time']}{zone}").astimezone()
    except ValueError:
        return None


def lines_since(lines: Iterable[str], since: datetime) -> Iterator[str]:
    """The lines from the first one that was written at `since` or later; lines without a time follow the one before."""
    is_reached = False
    for line in lines:
        time = None if is_reached else line_time(line)
        is_reached = is_reached or (time is not None and time >= since)
        if is_reached:
            yield line
