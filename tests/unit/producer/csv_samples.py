"""Rows as the original file has them, made from the few cells that a test is about."""

import csv
import io
from pathlib import Path

HEADER = (
    "Unique id,channel_name,category,Sub-category,Customer Remarks,Order_id,order_date_time,Issue_reported at,"
    "issue_responded,Survey_response_Date,Customer_City,Product_category,Item_price,connected_handling_time,"
    "Agent_name,Supervisor,Manager,Tenure Bucket,Agent Shift,CSAT Score"
)
FULL = (
    '7e9ae164-6a8b-4521-a2d4-58f7c9fff13f,Outcall,Product Queries,StreamRun Insurance,"Nice, thanks ??",'
    "c27c9bb4-fa36-4140-9f1f-21009254ffdb,03/07/2023 18:45,01/08/2023 11:13,01/08/2023 11:47,01-Aug-23,PUNE,"
    "Electronics,5671.0,308,Richard Buchanan,Mason Gupta,Jennifer Nguyen,On Job Training,Morning,5"
)
GAPS = (
    "not-a-uuid,Inbound,Returns,Missing,,,,31/08/2023 23:50,31/08/2023 23:58,31-Aug-23,,,,,"
    "Ann Ames,Mason Gupta,Emily Chen,>90,Split,1"
)
TRAP = (
    "b07ec1b0-f376-43b6-86df-ec03da3b2e16,Inbound,Returns,Missing,,,,28/08/2023 09:30,28/08/2023 00:00,28-Aug-23,,,,,"
    "Ann Ames,Mason Gupta,Emily Chen,>90,Split,4"
)
COLUMN = {
    "reported": "Issue_reported at",
    "responded": "issue_responded",
    "survey": "Survey_response_Date",
    "price": "Item_price",
    "score": "CSAT Score",
    "agent": "Agent_name",
    "order_id": "Order_id",
    "remarks": "Customer Remarks",
    "id": "Unique id",
}


def row(source: str = FULL, delimiter: str = ",", **cells: str) -> str:
    """The row with other cells, named as in COLUMN."""
    names, values = next(csv.reader([HEADER])), next(csv.reader([source]))
    for name, value in cells.items():
        values[names.index(COLUMN[name])] = value
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="").writerow(values)
    return text.getvalue()


def rows(*changes: dict[str, str], delimiter: str = ",") -> list[str]:
    """A row with an id of its own for each of these changes."""
    return [row(delimiter=delimiter, **{"id": f"id-{number}", **cells}) for number, cells in enumerate(changes, 1)]


def write(folder: Path, *lines: str, encoding: str = "utf-8", end: str = "\n") -> Path:
    """A file of these lines."""
    path = folder / "responses.csv"
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path
