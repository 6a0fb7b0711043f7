"""A row's cells as the values of an event."""

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any, NamedTuple

from csat.contract.event import SurveyResponse
from producer import csv_fields as fields
from producer.csv_dates import MomentReader
from producer.csv_layout import Layout
from producer.csv_problems import FieldError

ROW_ID = "row_id"  # the file's own id of the row
TIMES = ("issue_reported_at", "issue_responded_at", "survey_answered_at")
_NAMES = {
    "channel": "channel_name",
    "category": "category",
    "sub_category": "Sub-category",
    "agent_name": "Agent_name",
    "supervisor_name": "Supervisor",
    "manager_name": "Manager",
    "tenure_bucket": "Tenure Bucket",
    "shift": "Agent Shift",
}


class _Field(NamedTuple):
    field: str
    column: str
    place: int
    read: Callable[[str], Any]


class RowReader:
    """Reads the rows of one file; `places` has the cell of each column, `last_year` is the last year of a date."""

    def __init__(self, places: dict[str, int], layout: Layout, last_year: int) -> None:
        moment = MomentReader(layout.date_order, last_year).moment
        columns: dict[str, tuple[str, Callable[[str], Any]]] = {
            ROW_ID: ("Unique id", fields.unique_id),
            **{field: (column, fields.name) for field, column in _NAMES.items()},
            "order_id": ("Order_id", fields.uuid_text),
            "product_category": ("Product_category", fields.optional_name),
            "item_price": ("Item_price", partial(fields.price, mark=layout.decimal_mark)),
            "customer_city": ("Customer_City", fields.optional_name),
            "customer_remarks": ("Customer Remarks", fields.remarks),
            "issue_reported_at": ("Issue_reported at", moment),
            "issue_responded_at": ("issue_responded", moment),
            "survey_answered_at": ("Survey_response_Date", partial(moment, needs_time=False)),
            "csat_score": ("CSAT Score", fields.score),
        }
        found = (_Field(field, column, places[column], read) for field, (column, read) in columns.items())
        self._fields = sorted(found, key=lambda one: one.place)

    def values(self, cells: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        """ROW_ID with the event's values but for its ids, and the row's problems; with one, values are missing."""
        values: dict[str, Any] = {}
        problems: list[str] = []
        for field, column, place, read in self._fields:
            try:
                values[field] = read(cells[place])
            except FieldError as error:
                problems.append(f"{column} {error}")
        if not problems:
            values["survey_answered_at"] = _answered_at(*(values[name] for name in TIMES))
        return values, problems


def event(values: dict[str, Any], shift: timedelta) -> SurveyResponse:
    """The event of a row's values, whose times move by `shift`."""
    ids = {
        "response_id": fields.response_id(values[ROW_ID]),
        "case_id": fields.case_id(values[ROW_ID]),
        "agent_id": fields.agent_id(values["agent_name"]),
    }
    return SurveyResponse.model_validate(values | ids | {name: values[name] + shift for name in TIMES})


def _answered_at(reported_at: datetime, responded_at: datetime, surveyed_at: datetime) -> datetime:
    """The time of the survey's response.

    The original file knows its date only, which is 00:00 here: it is put at the last of the other two on that date,
    else at its start. An agent's response that lost its time of day is at 00:00, before the report, and stays there.
    """
    if surveyed_at.time() != time():
        return surveyed_at
    others = (moment for moment in (reported_at, responded_at) if moment.date() == surveyed_at.date())
    return max([surveyed_at, *others])
