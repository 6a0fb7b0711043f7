"""The original Kaggle file, replayed: its rows as events with new ids, moved so that they end now."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from uuid import UUID

import numpy as np
from pydantic import ValidationError

from csat.event import SurveyResponse
from producer.cases import milliseconds
from producer.event_text import uuid_texts
from producer.message import Message

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
_CSV_STREAM = 6
_GAPS = {"", "nan", "null"}
# Not strptime's %b: that reads the months of the machine's language.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Row = dict[str, str]


class CsvError(ValueError):
    """The file is not the expected one; the message names the line and the column."""


@dataclass(frozen=True)
class CsvSource:
    """A file that was read once: how many rows it has, its agents' ids by name, and how far to move its times."""

    path: Path
    rows: int
    agent_ids: dict[str, str]
    shift: timedelta

    def messages(self, seed: int, clock: datetime) -> Iterator[Message]:
        """One event a row, in the order of the file."""
        rng = np.random.default_rng([seed, _CSV_STREAM, milliseconds(clock)])
        for line, row in _rows(self.path):
            response_id, new_case_id = uuid_texts(rng, 2)
            try:
                event = self._event(row, response_id, new_case_id)
            except InvalidOperation as error:
                raise CsvError(f"{self.path}, line {line}: Item_price is not a number.") from error
            except ValidationError as error:
                problems = "; ".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors())
                raise CsvError(f"{self.path}, line {line}: {problems}.") from error
            key, value = event.to_message()
            yield Message(key, value, milliseconds(event.survey_answered_at))

    def _event(self, row: Row, response_id: str, new_case_id: str) -> SurveyResponse:
        reported_at, responded_at, answered_at = (moment + self.shift for moment in _times(row))
        price = _text(row["Item_price"])
        event = {
            "response_id": response_id,
            "case_id": _uuid(row["Unique id"]) or new_case_id,
            "channel": row["channel_name"].strip(),
            "category": row["category"].strip(),
            "sub_category": row["Sub-category"].strip(),
            "order_id": _uuid(row["Order_id"]),
            "product_category": _text(row["Product_category"]),
            "item_price": None if price is None else Decimal(price).quantize(Decimal("0.01")),
            "customer_city": _text(row["Customer_City"]),
            "customer_remarks": _text(row["Customer Remarks"]),
            "issue_reported_at": reported_at,
            "issue_responded_at": responded_at,
            "survey_answered_at": answered_at,
            "agent_id": self.agent_ids[row["Agent_name"]],
            "agent_name": row["Agent_name"],
            "supervisor_name": row["Supervisor"].strip(),
            "manager_name": row["Manager"].strip(),
            "tenure_bucket": row["Tenure Bucket"].strip(),
            "shift": row["Agent Shift"].strip(),
            "csat_score": row["CSAT Score"],
        }
        return SurveyResponse.model_validate(event)


def read_csv(path: Path, clock: datetime) -> CsvSource:
    """The file, checked; its times move by whole days, so that the last answer lies in the day before `clock`.

    Whole days keep the hours of the day. Raises CsvError.
    """
    names: set[str] = set()
    last: datetime | None = None
    rows = 0
    for line, row in _rows(path):
        rows += 1
        names.add(row["Agent_name"])
        try:
            answered_at = _times(row)[2]
        except (ValueError, IndexError) as error:
            raise CsvError(f"{path}, line {line}: a time is not dd/mm/yyyy HH:MM or dd-Mon-yy: {error}") from error
        last = answered_at if last is None else max(last, answered_at)
    if last is None:
        raise CsvError(f"{path} holds no rows.")
    agent_ids = {name: f"csv-agent-{index:04d}" for index, name in enumerate(sorted(names), start=1)}
    return CsvSource(path, rows, agent_ids, timedelta(days=(clock - last) // timedelta(days=1)))


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise CsvError(f"{path} lacks the columns: {', '.join(missing)}.")
            for row in reader:
                if None in row.values():
                    raise CsvError(f"{path}, line {reader.line_num}: the row has fewer than {len(COLUMNS)} columns.")
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError) as error:
        raise CsvError(f"{path} cannot be read: {error}") from error


def _times(row: Row) -> tuple[datetime, datetime, datetime]:
    """Report, response and answer.

    The file knows the answer's date only: the answer is put at the last of the other two on that date, else at its
    start. A response that lost its time of day stands at 00:00, before its report, and stays there.
    """
    reported_at, responded_at = _moment(row["Issue_reported at"]), _moment(row["issue_responded"])
    answered_on = _date(row["Survey_response_Date"])
    start = datetime(answered_on.year, answered_on.month, answered_on.day, tzinfo=UTC)
    answered_at = max([start, *(moment for moment in (reported_at, responded_at) if moment.date() == answered_on)])
    return reported_at, responded_at, answered_at


def _moment(text: str) -> datetime:
    return datetime.strptime(text.strip(), "%d/%m/%Y %H:%M").replace(tzinfo=UTC)


def _date(text: str) -> date:
    day, month, year = text.strip().split("-")
    return date(2000 + int(year), _MONTHS.index(month.capitalize()) + 1, int(day))


def _text(text: str) -> str | None:
    return None if text.strip().lower() in _GAPS else text.strip()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None
