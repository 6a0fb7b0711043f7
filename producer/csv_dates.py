"""Dates and times as files have them."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Literal, get_args

from producer.csv_problems import FieldError

DateOrder = Literal["dmy", "mdy", "ymd"]
ORDERS: tuple[DateOrder, ...] = get_args(DateOrder)
FIRST_YEAR = 2000

# Not strptime's %b: that reads the months of the machine's language.
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_NUMBERS = re.compile(r"(\d{4}|\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{1,2})", re.ASCII)
_NAMED = tuple(
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        rf"(?P<day>\d{{1,2}})[-/. ]?{_MONTH}\.?,?[-/. ]?(?P<year>\d{{4}}|\d{{2}})",
        rf"{_MONTH}\.?[- ](?P<day>\d{{1,2}}),?[- ](?P<year>\d{{4}}|\d{{2}})",
        rf"(?P<year>\d{{4}})[-/. ]?{_MONTH}[-/. ]?(?P<day>\d{{1,2}})",
    )
)
_TIME = re.compile(
    r"(?P<date>.*?\S)(?:T|,?\s+)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    r"(?:\s*(?P<half>[AP])\.?M\.?)?(?:\s*(?P<zone>Z|UTC|[+-]\d\d:?\d\d))?",
    re.ASCII | re.IGNORECASE,
)
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?", re.ASCII)
DATE_FIX = "write it like 2023-08-31"
_TIME_FIX = "write it like 2023-08-31 23:58"


class MomentReader:
    """Reads dates and times of one file in one order; what was read is remembered, because files repeat themselves.

    `last_year` is the last year that a date may have. `order` is of no account where all dates name their month or
    begin with a year of four digits.
    """

    def __init__(self, order: DateOrder, last_year: int) -> None:
        self._order: DateOrder = order
        self._last_year = last_year
        self.moment = lru_cache(maxsize=1 << 17)(self._moment)

    def _moment(self, text: str, *, needs_time: bool = True) -> datetime:
        """The moment, in UTC where the text names no other offset. Raises FieldError."""
        date_text, clock = _parted(text)
        day = self._day(text, date_text)
        if clock is None:
            if needs_time:
                raise FieldError(text, "has no time of day", _TIME_FIX)
            return datetime.combine(day, time(), UTC)
        try:
            return datetime.combine(day, _time(clock), _zone(clock["zone"])).astimezone(UTC)
        except ValueError as error:
            raise FieldError(text, "has a time that no clock shows", _TIME_FIX) from error

    def _day(self, text: str, date_text: str) -> date:
        found = dates(date_text)
        if not found:
            raise FieldError(text, _no_date(date_text), DATE_FIX)
        if self._order not in found:
            raise FieldError(text, f"does not fit the order {self._order}", f"{DATE_FIX}, or choose --date-order")
        day = found[self._order]
        if day is None:
            raise FieldError(text, f"is no day of the calendar in the order {self._order}", "correct it")
        if not FIRST_YEAR <= day.year <= self._last_year:
            years = f"{FIRST_YEAR} to {self._last_year}"
            raise FieldError(text, f"lies in the year {day.year}, outside {years}", "correct the year")
        return day


def date_part(text: str) -> str:
    """The text without its time of day."""
    return _parted(text)[0]


@lru_cache(maxsize=1 << 16)
def dates(text: str) -> dict[DateOrder, date | None]:
    """The date of a text without a time, by each order that it fits; None where the calendar has no such day."""
    for pattern in _NAMED:
        if named := pattern.fullmatch(text):
            month = _MONTHS.index(named["month"][:3].lower()) + 1
            return dict.fromkeys(ORDERS, _date(_year(named["year"]), month, int(named["day"])))
    numbers = _NUMBERS.fullmatch(text)
    if numbers is None:
        return {}
    first, second, last = numbers[1], int(numbers[3]), numbers[4]
    if len(first) == 4:
        return {} if len(last) == 4 else dict.fromkeys(ORDERS, _date(int(first), second, int(last)))
    found: dict[DateOrder, date | None] = {}
    if len(last) > 1:
        found["dmy"] = _date(_year(last), second, int(first))
        found["mdy"] = _date(_year(last), int(first), second)
    if len(last) <= 2 <= len(first):
        found["ymd"] = _date(_year(first), second, int(last))
    return found


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else 2000 + int(digits)


@lru_cache(maxsize=1 << 16)
def _parted(text: str) -> tuple[str, re.Match[str] | None]:
    """The date's text, and the match with the time's parts where there is a time."""
    stripped = text.strip()
    match = _TIME.fullmatch(stripped)
    return (match["date"], match) if match else (stripped, None)


def _time(clock: re.Match[str]) -> time:
    hour, half = int(clock["hour"]), clock["half"]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half in "pP" else 0)
    return time(hour, int(clock["minute"]), int(clock["second"] or 0))


def _zone(text: str | None) -> timezone:
    if text is None or text.upper() in {"Z", "UTC"}:
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _no_date(text: str) -> str:
    return "is a spreadsheet's number of a day" if _SERIAL.fullmatch(text) else "is not a date"
