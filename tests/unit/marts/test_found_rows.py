"""What a failed or a warning test found is stored with its result."""

from typing import Any

from csat.bigquery.client import WarehouseError
from csat.marts.found_rows import with_found_rows
from csat.marts.results import DbtResult, NodeResult

SQL = "select 'A | a' as found"


class FakeWarehouse:
    """Returns two rows, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.error = error

    def rows(self, sql: str) -> list[dict[str, Any]]:
        self.asked.append(sql)
        if self.error:
            raise self.error
        return [
            {"rule": "one spelling in category", "row_count": 2, "found": "A | a"},
            {"rule": "response_count >= 1", "row_count": 3, "found": None},
        ]


def node(status: str) -> NodeResult:
    return NodeResult("test.csat.t.1", "t", "m", status, None, 0.1, "Got 2 results", 2, {}, SQL)


def messages(warehouse: Any, lines: list[str], *statuses: str) -> list[str | None]:
    result = DbtResult("i1", tuple(node(status) for status in statuses))
    return [one.message for one in with_found_rows(warehouse, result, lines.append).nodes]


def test_warning_and_failure_list_their_rows_in_their_messages_and_not_in_the_progress() -> None:
    warehouse, lines = FakeWarehouse(), list[str]()
    listed = "rule: one spelling in category, row_count: 2, found: A | a; rule: response_count >= 1, row_count: 3"
    assert messages(warehouse, lines, "pass", "warn", "fail") == [
        "Got 2 results",
        f"Got 2 results: {listed}",
        f"Got 2 results: {listed}",
    ]
    assert warehouse.asked == [f"select * from (\n{SQL}\n) limit 10"] * 2
    assert lines == [
        "warning: t found 2 rows; csat_ops.dbt_tests lists them",
        "error: t found 2 rows; csat_ops.dbt_tests lists them",
    ]


def test_warning_whose_rows_cannot_be_read_keeps_its_message() -> None:
    assert messages(FakeWarehouse(WarehouseError("no")), [], "warn") == ["Got 2 results"]
