"""What is wrong with a file of survey responses: collected row by row, reported with line, column, value and fix."""

import heapq
from collections.abc import Iterator
from pathlib import Path

from csat.contract.errors import CsatError

_LISTED = 10
_LONGEST_SHOWN = 32


class FieldError(CsatError):
    """A field cannot be read; the message says what is wrong with the value and what to do."""

    def __init__(self, value: str, problem: str, fix: str) -> None:
        super().__init__(f"{shown(value)} {problem}" if value.strip() else "is blank", fix)


class Problems:
    """The problems found so far: all of them counted, those of the first lines kept."""

    def __init__(self) -> None:
        self._first: list[tuple[int, int, str]] = []  # a heap with the last problem on top
        self._lines: set[int] = set()
        self._count = 0

    def add(self, line: int, text: str) -> None:
        """Note a problem of the row that begins on this line."""
        self._count += 1
        self._lines.add(line)
        heapq.heappush(self._first, (-line, -self._count, text))
        if len(self._first) > _LISTED:
            heapq.heappop(self._first)

    def raise_if_any(self, path: Path) -> None:
        """Raise CsatError with the first ten problems and the number of all."""
        if self._count:
            raise CsatError("\n".join(self._report(path)))

    def _report(self, path: Path) -> Iterator[str]:
        rows = "1 row" if len(self._lines) == 1 else f"{len(self._lines):,} rows"
        yield f"{path}: {rows} cannot be sent, so nothing was sent"
        for line, _, text in sorted(self._first, reverse=True):
            yield f"  {path}, line {-line}: {text}"
        if self._count > _LISTED:
            yield f"  and {self._count - _LISTED:,} more problems"


def shown(value: str) -> str:
    """The value as a message may show it.

    In a row whose columns are shifted any field may hold a customer's remark: several words without a digit, and long
    texts, are described only.
    """
    text = value.strip()
    is_sentence = len(text.split()) > 1 and not any(character.isdigit() for character in text)
    if is_sentence or len(text) > _LONGEST_SHOWN:
        return f"(a text of {len(text):,} characters)"
    return repr(text)
