"""The rows of a copied file: its delimiter and its columns, found by name, and each row with its line."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from csat.contract.errors import CsatError
from producer.csv_copy import Copy

COLUMNS = (
    "Unique id",
    "channel_name",
    "category",
    "Sub-category",
    "Customer Remarks",
    "Order_id",
    "order_date_time",
    "Issue_reported at",
    "issue_responded",
    "Survey_response_Date",
    "Customer_City",
    "Product_category",
    "Item_price",
    "connected_handling_time",
    "Agent_name",
    "Supervisor",
    "Manager",
    "Tenure Bucket",
    "Agent Shift",
    "CSAT Score",
)
_DELIMITERS = ",;\t|"
# Excel writes and reads it as the first line.
_DELIMITER_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Sheet:
    """A copy whose header was read.

    `names` are the header's cells, `places` the cell of each of COLUMNS, `header_line` the line of the header.
    """

    copy: Copy
    delimiter: str
    names: tuple[str, ...]
    places: dict[str, int]
    header_line: int

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The cells of each row and the line on which it begins; rows without any text are left out.

        Raises CsatError if a quote is not closed.
        """
        rows = self._records()
        for line, cells in rows:
            if line > self.header_line and any(map(str.strip, cells)):
                yield line, cells

    def misfit(self, cells: Sequence[str]) -> str | None:
        """What is wrong with the number of the row's cells."""
        count, expected = len(cells), len(self.names)
        if count == expected:
            return None
        fix = f"quote a text that holds a {_named(self.delimiter)}" if count > expected else "complete the row"
        return f"{count} fields where the header has {expected}, fix: {fix}"

    @property
    def extra_columns(self) -> tuple[str, ...]:
        """Columns that no response has."""
        used = set(self.places.values())
        return tuple(name or f"column {at + 1}" for at, name in enumerate(self.names) if at not in used)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        line = 1
        with self.copy.text() as lines:
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            try:
                for cells in reader:
                    yield line, cells
                    line = reader.line_num + 1
            except csv.Error as error:
                is_open = reader.line_num > line or "expected after" not in str(error)
                column = f", {self._last_column(line)}" if is_open else ""
                raise CsatError(
                    f"{self.copy.path}, line {line}{column}: {_quote_problem(error)}; nothing was sent",
                    "close the quote, and write a quote inside a quoted text twice",
                ) from error

    def _last_column(self, line: int) -> str:
        """The column in which this line ends: where it has an open quote, that one's."""
        with self.copy.text() as lines:
            text = next(islice(lines, line - 1, None), "")
        cells = next(csv.reader([text[: csv.field_size_limit()]], delimiter=self.delimiter), [""])
        return self.names[min(len(cells), len(self.names)) - 1].strip()


def sheet(copy: Copy) -> Sheet:
    """The copy with its delimiter and columns. Raises CsatError."""
    with copy.text() as lines:
        number, header = next(((at, line) for at, line in enumerate(lines, 1) if line.strip()), (1, ""))
        named = _DELIMITER_LINE.fullmatch(header)
        if named:
            number, header = number + 1, next(lines, "")
    if not header.strip():
        raise CsatError(f"{copy.path} is empty", "name the file that holds the responses")
    delimiter = named[1] if named else max(_DELIMITERS, key=lambda mark: len(_places(_cells(header, mark))))
    names = _cells(header, delimiter)
    places = _places(names)
    _check(copy, number, names, places)
    return Sheet(copy, delimiter, names, {name: found[0] for name, found in places.items()}, number)


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:  # a line of more than the longest field
        return ()


def _places(names: Sequence[str]) -> dict[str, list[int]]:
    """The cells of each known column, in whatever case and with whatever space, dash or underscore."""
    places: dict[str, list[int]] = {}
    for name in COLUMNS:
        if found := [at for at, cell in enumerate(names) if _key(cell) == _key(name)]:
            places[name] = found
    return places


def _key(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _check(copy: Copy, line: int, names: Sequence[str], places: dict[str, list[int]]) -> None:
    place = f"{copy.path}, line {line}"
    if not places:
        raise CsatError(
            f"{place}: the header has none of the {len(COLUMNS)} columns ({', '.join(COLUMNS)})",
            "put their names into the first line, with a comma between them",
        )
    if missing := [name for name in COLUMNS if name not in places]:
        others = [name for at, name in enumerate(names) if [at] not in places.values()]
        has = f" (it also has {', '.join(others)})" if others and len(places) > len(missing) else ""
        raise CsatError(f"{place}: the header lacks {', '.join(missing)}{has}", "name each as it is named here")
    for name, (first, *again) in places.items():
        if again:
            twice = f"columns {first + 1} and {again[0] + 1}"
            raise CsatError(f"{place}: {name} is there twice, as {twice}", "remove one or give it another name")


def _quote_problem(error: csv.Error) -> str:
    if "field larger" in str(error):
        return f"a field is longer than {csv.field_size_limit():,} characters, as after a quote that is never closed"
    if "unexpected end" in str(error):
        return "a quote is opened and never closed"
    return "a quote does not end before the next delimiter, as after a quote that is not closed or not written twice"


def _named(delimiter: str) -> str:
    return {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}.get(delimiter, repr(delimiter))
