"""The check of a whole file: whether each of its rows makes an event, and what they are together."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from csat.contract.errors import CsatError
from producer.csv_event import ROW_ID, TIMES, RowReader
from producer.csv_fields import is_gap
from producer.csv_problems import Problems, shown
from producer.csv_rows import Sheet

# A broker takes messages of 1 MiB by default, and would refuse a longer one in the middle of the file; a character is
# six bytes of JSON at most.
_MOST_CHARACTERS = 160_000
_LONGEST_SPAN = timedelta(days=366)
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class _Moment(NamedTuple):
    at: datetime
    line: int


@dataclass
class Checked:
    """What the rows are together: the lines of rows that repeat another, gaps made, first and last response, and dates.

    Three numbers a row are kept, to find ids that are there twice.
    """

    repeated_lines: frozenset[int] = frozenset()
    order_ids_not_uuid: int = 0
    last_response_at: datetime = _NEVER
    first_response: _Moment | None = None
    first: _Moment | None = None
    last: _Moment | None = None
    ids: array[int] = field(default_factory=lambda: array("q"))
    contents: array[int] = field(default_factory=lambda: array("q"))
    lines: array[int] = field(default_factory=lambda: array("Q"))

    def add(self, line: int, cells: Sequence[str], values: dict[str, Any]) -> None:
        """Count a row that makes an event."""
        self.ids.append(hash(values[ROW_ID]))
        self.contents.append(hash(tuple(map(str.strip, cells))))
        self.lines.append(line)
        moments = [values[name] for name in TIMES]
        self.last_response_at = max(self.last_response_at, moments[-1])
        if self.first_response is None or moments[-1] < self.first_response.at:
            self.first_response = _Moment(moments[-1], line)
        if self.first is None or min(moments) < self.first.at:
            self.first = _Moment(min(moments), line)
        if self.last is None or max(moments) > self.last.at:
            self.last = _Moment(max(moments), line)


def checked(sheet: Sheet, rows: Iterable[tuple[int, Sequence[str]]], reader: RowReader, *, allow_span: bool) -> Checked:
    """What the rows of the sheet are together; every one of them makes an event. Raises CsatError."""
    problems, found = Problems(), Checked()
    order = sheet.places["Order_id"]
    for line, cells in rows:
        if misfit := sheet.misfit(cells):
            problems.add(line, misfit)
            continue
        values, faults = reader.values(cells)
        if sum(map(len, cells)) > _MOST_CHARACTERS:
            faults.append(f"the row has more than {_MOST_CHARACTERS:,} characters, fix: shorten its texts")
        for fault in faults:
            problems.add(line, fault)
        if not faults:
            found.order_ids_not_uuid += values["order_id"] is None and not is_gap(cells[order])
            found.add(line, cells, values)
    found.repeated_lines = _repeats(sheet, found, problems)
    problems.raise_if_any(sheet.copy.path)
    if not allow_span:
        _check_span(sheet, found)
    return found


def _repeats(sheet: Sheet, found: Checked, problems: Problems) -> frozenset[int]:
    """Lines that repeat an earlier row; an id that stands in different rows is a problem of the later one."""
    if not found.ids:
        return frozenset()
    ids, contents, lines = (np.array(values) for values in (found.ids, found.contents, found.lines))
    order = np.argsort(ids, kind="stable")
    is_again = np.concatenate([[False], ids[order][1:] == ids[order][:-1]])
    starts = np.maximum.accumulate(np.where(is_again, 0, np.arange(len(order))))
    first, again = order[starts][is_again], order[is_again]
    is_same = contents[first] == contents[again]
    others = dict(zip(lines[again][~is_same].tolist(), lines[first][~is_same].tolist(), strict=True))
    if others:
        for line, cells in sheet.rows():
            if line in others:
                row_id = shown(cells[sheet.places["Unique id"]])
                problems.add(line, f"Unique id {row_id} is on line {others[line]} too, fix: give each row its own id")
    return frozenset(lines[again][is_same].tolist())


def check_age(path: Path, found: Checked, shift: timedelta, clock: datetime, max_days_old: int) -> None:
    """Raise CsatError if the first response, moved by `shift`, is too old for the stream a day after `clock`."""
    first = found.first_response
    oldest = clock - timedelta(days=max_days_old - 1)
    if first and first.at + shift < oldest:
        raise CsatError(
            f"{path}, line {first.line}: the response of {first.at:%Y-%m-%d} would be dated "
            f"{first.at + shift:%Y-%m-%d}, and the stream rejects responses of more than {max_days_old:,} days ago "
            "(CSAT_MAX_DAYS_OLD)",
            f"correct the year, or leave out the rows before {oldest - shift:%Y-%m-%d}",
        )


def _check_span(sheet: Sheet, found: Checked) -> None:
    if found.first and found.last and found.last.at - found.first.at > _LONGEST_SPAN:
        first, last = (f"{moment.at:%Y-%m-%d} (line {moment.line})" for moment in (found.first, found.last))
        raise CsatError(
            f"{sheet.copy.path}: the dates run from {first} to {last}, more than a year",
            "correct the year, or allow it by --allow-span",
        )
