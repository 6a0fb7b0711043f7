"""In which order day, month and year stand in a file: decided from all of its dates."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import NamedTuple

from csat.contract.errors import CsatError
from producer.csv_dates import DATE_FIX, FIRST_YEAR, ORDERS, DateOrder, dates
from producer.csv_problems import shown

_COLUMNS = ("Issue_reported at", "issue_responded", "Survey_response_Date")


class Dates(NamedTuple):
    """A row's three dates as texts, without their times."""

    reported: str
    responded: str
    survey: str


def decided_order(lines: Mapping[Dates, int], last_year: int) -> DateOrder:
    """The one order that all dates of the file allow; `lines` has the first line of each different row of dates.

    Where they allow several, a survey's date that names its month decides, because a response and its survey have one
    date. Raises CsatError if the dates contradict each other, or still allow several.
    """
    left = set(ORDERS)
    for row, line in lines.items():
        for column, text in zip(_COLUMNS, row, strict=True):
            possible = _possible(text, last_year)
            if possible and not left & possible:
                raise _contradiction(f"line {line}: {column} {shown(text)}", left, possible)
            left &= possible or left
    unclear = [(text, line) for row, line in lines.items() for text in row if len(_readings(text, left)) > 1]
    if unclear:
        left = _agreeing(lines, left) or left
        if len(left) > 1:
            raise _ambiguity(*unclear[0], left)
    return next(order for order in ORDERS if order in left)


def _agreeing(lines: Collection[Dates], left: set[DateOrder]) -> set[DateOrder]:
    """The orders by which responses lie on the date of their survey, where one of the two reads the same in all."""
    agreeing = set(left)
    for row in lines:
        responded, survey = dates(row.responded), dates(row.survey)
        if (len(_readings(row.responded, left)) > 1) != (len(_readings(row.survey, left)) > 1):
            same = {order for order in left if responded.get(order) and responded.get(order) == survey.get(order)}
            agreeing &= same or agreeing
    return agreeing


def _contradiction(place: str, left: set[DateOrder], possible: set[DateOrder]) -> CsatError:
    return CsatError(
        f"{place} has the order {_either(possible)}, the dates before it have {_either(left)}",
        f"{DATE_FIX}, or choose one by --date-order and correct the rows that do not fit it",
    )


def _ambiguity(text: str, line: int, left: set[DateOrder]) -> CsatError:
    readings = " or ".join(f"{dates(text)[order]} ({order})" for order in ORDERS if order in left)
    return CsatError(f"line {line}: {shown(text)} is {readings}, and no other date decides", "choose by --date-order")


def _either(orders: set[DateOrder]) -> str:
    return " or ".join(order for order in ORDERS if order in orders)


def _possible(text: str, last_year: int) -> set[DateOrder]:
    """The orders in which it is a date; none where it is no date at all."""
    days = dates(text).items()
    return {order for order, day in days if day is not None and FIRST_YEAR <= day.year <= last_year}


def _readings(text: str, orders: set[DateOrder]) -> set[date | None]:
    return {day for order, day in dates(text).items() if order in orders}
