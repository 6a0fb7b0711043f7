"""The dates where the marts differ from the landing table, counted independently of dbt's models."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from csat.bigquery.client import Warehouse
from csat.bigquery.query import Query
from csat.contract import landing
from csat.marts.manifest import ReconciledMart
from csat.reporting.variables import window_days

_UNSETTLED = timedelta(days=1)
# What is the customer's in the responses: remarks and bytes of messages are in no mart
COMPARED_COLUMNS = tuple(
    column for column in landing.CUSTOMER_COLUMNS if column.name not in ("customer_remarks", "payload")
)


def _text(column: landing.Column) -> str:
    """Its value as a text that does not depend on the type's scale."""
    value = f"cast({column.name} as float64)" if column.kind is landing.ColumnKind.PRICE else column.name
    return f"coalesce(cast({value} as string), '')"


_TEXTS = ", ' ', ".join(map(_text, COMPARED_COLUMNS))
RESPONSES = Query.read(__file__, "differing_responses").filled(customer_hash=f"farm_fingerprint(concat({_TEXTS}))")
_DATES = Query.read(__file__, "differing_dates")
_WINDOWS = Query.read(__file__, "differing_windows")
# What the columns of a mart count in fct_survey_responses
_COUNTS = {"response_count": "count(*)", "satisfied_count": "countif(is_satisfied)", "score_sum": "sum(csat_score)"}


@dataclass(frozen=True)
class Difference:
    """A date on which a mart differs. The counts are of responses; where they are equal, the responses differ."""

    mart: str
    response_date: date
    expected_count: int | None
    found_count: int | None

    def as_dict(self) -> dict[str, Any]:
        """The difference in JSON's types."""
        return {
            "mart": self.mart,
            "response_date": self.response_date.isoformat(),
            "expected_count": self.expected_count,
            "found_count": self.found_count,
        }


def find_differences(
    warehouse: Warehouse, marts: Iterable[ReconciledMart], until: datetime, latest: date
) -> list[Difference]:
    """The differences of the responses from the messages read by `until`, and of the marts from the responses.

    `latest` is the latest response date. Raises WarehouseError.
    """
    rows = RESPONSES.rows(warehouse, until=until, settled=latest - _UNSETTLED)
    found = [Difference("fct_survey_responses", **row) for row in rows]
    for mart in marts:
        windows = [{"window_id": name, "days": days} for name, days in window_days().items()]
        for parameters in windows if mart.has_windows else [{}]:
            found += [Difference(mart.name, **row) for row in comparison(mart).rows(warehouse, **parameters)]
    return found


def comparison(mart: ReconciledMart) -> Query:
    """The query for the dates on which a mart differs; of a mart with windows, those of one window."""
    place = {"mart": f"{mart.dataset}.{mart.name}", "date": mart.date, "condition": mart.where}
    if mart.has_windows:
        return _WINDOWS.filled(**place)
    counts = {name: count for name, count in _COUNTS.items() if name in mart.columns}
    return _DATES.filled(
        **place,
        expected_counts=", ".join(f"{count} as {name}" for name, count in counts.items()),
        found_counts=", ".join(f"sum({name}) as {name}" for name in counts),
    )
