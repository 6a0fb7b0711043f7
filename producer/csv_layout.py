"""How a file writes its dates and prices: decided from all rows, before one of them is read as an event."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from csat.contract.errors import CsatError
from producer import csv_fields as fields
from producer.csv_date_order import Dates, decided_order
from producer.csv_dates import DateOrder, date_part
from producer.csv_fields import DecimalMark
from producer.csv_problems import shown
from producer.csv_rows import Sheet


class Layout(NamedTuple):
    """Rows of the file, the order of day, month and year, and the mark before a price's decimals."""

    rows: int
    date_order: DateOrder
    decimal_mark: DecimalMark


class _Place(NamedTuple):
    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: Item_price {shown(self.text)}"


@dataclass
class _Prices:
    """The first price that has to have this decimal mark, and the first that may be two prices."""

    decided: dict[DecimalMark, _Place] = field(default_factory=dict)
    open: _Place | None = None

    def add(self, line: int, text: str) -> None:
        marks = fields.decimal_marks(text)
        if len(marks) == 1:
            self.decided.setdefault(marks.pop(), _Place(line, text))
        elif marks and "." in text and self.open is None:
            self.open = _Place(line, text)

    def mark(self) -> DecimalMark:
        if len(self.decided) > 1:
            raise CsatError(
                f"{self.decided['.']} has a decimal point, {self.decided[',']} a decimal comma",
                "write all prices like 1299.00",
            )
        if self.open and not self.decided:
            raise CsatError(
                f"{self.open} may have a decimal point or grouped thousands, and no other price decides",
                "write prices like 1299.00",
            )
        return next(iter(self.decided), ".")


def layout(
    sheet: Sheet, rows: Iterable[tuple[int, Sequence[str]]], date_order: DateOrder | None, last_year: int
) -> Layout:
    """The layout of the sheet, whose rows these are; `date_order` is the user's choice. Raises CsatError."""
    at_dates = [sheet.places[name] for name in ("Issue_reported at", "issue_responded", "Survey_response_Date")]
    at_price = sheet.places["Item_price"]
    dates: dict[Dates, int] = {}
    prices, count = _Prices(), 0
    for line, cells in rows:
        count += 1
        if len(cells) != len(sheet.names):
            continue
        dates.setdefault(Dates(*(date_part(cells[at]) for at in at_dates)), line)
        if cells[at_price]:
            prices.add(line, cells[at_price])
    if not count:
        raise CsatError(f"{sheet.copy.path} has a header and no rows", "name the file that holds the responses")
    try:
        return Layout(count, date_order or decided_order(dates, last_year), prices.mark())
    except CsatError as error:
        raise CsatError(f"{sheet.copy.path}, {error.message}", error.fix) from error
