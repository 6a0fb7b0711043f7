"""What a warning test found is stored with its result."""

from typing import Any

from csat.bigquery.client import WarehouseError
from csat.marts.results import DbtResult, NodeResult
from csat.marts.warned_rows import with_warned_rows

SQL = "select 'Returns | returns' as spellings"


class FakeWarehouse:
    """Returns two rows, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.error = error

    def rows(self, sql: str) -> list[dict[str, str]]:
        self.asked.append(sql)
        if self.error:
            raise self.error
        return [
            {"column_name": "category", "spellings": "Returns | returns"},
            {"column_name": "category", "spellings": "A | a"},
        ]


def node(status: str) -> NodeResult:
    return NodeResult("test.csat.t.1", "t", "m", status, None, 0.1, "Got 2 results", 2, {}, SQL)


def messages(warehouse: Any, lines: list[str], *statuses: str) -> list[str | None]:
    result = DbtResult("i1", tuple(node(status) for status in statuses))
    return [one.message for one in with_warned_rows(warehouse, result, lines.append).nodes]


def test_warning_lists_its_rows_in_its_message_and_not_in_the_progress() -> None:
    warehouse, lines = FakeWarehouse(), list[str]()
    assert messages(warehouse, lines, "pass", "warn", "fail") == [
        "Got 2 results",
        "Got 2 results: column_name: category, spellings: Returns | returns; column_name: category, spellings: A | a",
        "Got 2 results",
    ]
    assert warehouse.asked == [f"select * from (\n{SQL}\n) limit 10"]
    assert lines == ["warning: t found 2 rows; csat_ops.dbt_tests lists them"]


def test_warning_whose_rows_cannot_be_read_keeps_its_message() -> None:
    assert messages(FakeWarehouse(WarehouseError("no")), [], "warn") == ["Got 2 results"]
