"""The order of a table's rows: by one of their columns, or by what needs attention."""

from dataclasses import dataclass
from typing import Any, Self

from csat.bigquery.query import Rows
from csat.reporting.attention import by_attention
from csat.reporting.search import plain


@dataclass(frozen=True)
class Order:
    """An order by a column of the rows. Its text is that of an address: csat_rate, or -csat_rate for the highest first.

    Without a known value rows are last, in both directions. Equal rows keep the order that they have.
    """

    column: str
    is_descending: bool = False

    @classmethod
    def of(cls, text: str) -> Self:
        """The order that a text names."""
        return cls(text.removeprefix("-"), text.startswith("-"))

    def __str__(self) -> str:
        return f"{'-' if self.is_descending else ''}{self.column}"

    @property
    def reverse(self) -> "Order":
        """The same column in the other direction."""
        return Order(self.column, not self.is_descending)

    def sort(self, rows: Rows) -> Rows:
        """The rows in this order."""
        if self == AS_QUERIED:
            return rows
        if self == ATTENTION:
            return by_attention(rows)
        known = [row for row in rows if row[self.column] is not None]
        unknown = [row for row in rows if row[self.column] is None]
        return sorted(known, key=lambda row: _key(row[self.column]), reverse=self.is_descending) + unknown


AS_QUERIED = Order("")
ATTENTION = Order("attention")


def _key(value: Any) -> Any:
    return plain(value) if isinstance(value, str) else value
