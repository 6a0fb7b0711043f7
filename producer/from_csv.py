"""The original Kaggle file as messages: all of it is read and checked, and then sent, moved so that it ends now.

A private copy of it is read three times: how it writes dates and prices, whether each row makes an event, and to send.
Memory holds three numbers a row.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from csat.contract.settings import MAX_DAYS_OLD
from producer.cases import milliseconds
from producer.csv_check import Checked, check_age, checked
from producer.csv_copy import copied
from producer.csv_dates import DateOrder
from producer.csv_event import RowReader, event
from producer.csv_layout import Layout, layout
from producer.csv_rows import Sheet, sheet
from producer.message import Message

Rows = Iterable[tuple[int, Sequence[str]]]
# Shows how far something has come: its name, how many items it has, and the items.
Track = Callable[[str, int, Rows], Rows]


@dataclass(frozen=True)
class CsvOptions:
    """How a file is read: the order of its dates where they leave it open, and whether they may span over a year.

    `max_days_old`: the stream rejects older responses.
    """

    date_order: DateOrder | None = None
    allow_span: bool = False
    max_days_old: int = MAX_DAYS_OLD


@dataclass(frozen=True)
class CsvSource:
    """A file that was checked, and how far its times move. It can be read while `opened_csv` is open."""

    sheet: Sheet
    layout: Layout
    checked: Checked
    reader: RowReader
    shift: timedelta

    @property
    def rows(self) -> int:
        """Rows that are sent: each once."""
        return self.layout.rows - len(self.checked.repeated_lines)

    def messages(self) -> Iterator[Message]:
        """One message a row, in the order of the file."""
        for line, cells in self.sheet.rows():
            if line in self.checked.repeated_lines:
                continue
            values, _ = self.reader.values(cells)
            response = event(values, self.shift)
            yield Message(*response.to_message(), milliseconds(response.survey_answered_at))

    def facts(self) -> dict[str, Any]:
        """What was read and what was made of it, as JSON values."""
        return {
            "rows": self.layout.rows,
            "repeated_rows": len(self.checked.repeated_lines),
            "order_ids_not_uuid": self.checked.order_ids_not_uuid,
            "extra_columns": list(self.sheet.extra_columns),
            "encoding": self.sheet.copy.encoding,
            "delimiter": self.sheet.delimiter,
            "date_order": self.layout.date_order,
            "moved_days": self.shift.days,
        }

    def notes(self) -> Iterator[str]:
        """What a person should know before it is sent."""
        path, facts = self.sheet.copy.path, self.facts()
        yield f"{path}: {facts['rows']:,} rows checked, dates move by {facts['moved_days']:,} days to end now"
        if self.sheet.copy.encoding == "cp1252":
            yield f"warning: {path} is not UTF-8 and is read as Windows-1252; names with accents may be wrong"
        if self.sheet.extra_columns:
            yield f"warning: columns that are not sent: {', '.join(self.sheet.extra_columns)}"
        if count := facts["repeated_rows"]:
            yield f"warning: rows that repeat another, sent once: {count:,}"
        if count := facts["order_ids_not_uuid"]:
            yield f"warning: order ids that are not UUIDs, sent as null: {count:,}"


@contextmanager
def opened_csv(
    path: Path, clock: datetime, options: CsvOptions | None = None, track: Track = lambda _name, _count, rows: rows
) -> Iterator[CsvSource]:
    """The file, checked; its times move by whole days, so that the last response lies in the day before `clock`.

    Whole days keep the hours of the day. `track` shows the progress. Raises CsatError.
    """
    options = options or CsvOptions()
    with closing(copied(path)) as copy:
        table = sheet(copy)
        last_year = clock.year + 1
        found = layout(table, track("reading", copy.lines - 1, table.rows()), options.date_order, last_year)
        reader = RowReader(table.places, found, last_year)
        rows = checked(table, track("checking", found.rows, table.rows()), reader, allow_span=options.allow_span)
        shift = timedelta(days=(clock - rows.last_response_at) // timedelta(days=1))
        check_age(path, rows, shift, clock, options.max_days_old)
        yield CsvSource(table, found, rows, reader, shift)
