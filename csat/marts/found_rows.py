"""The rows that a failed or a warning test of dbt found. dbt's message has only their number."""

from dataclasses import replace

from csat.bigquery.client import Warehouse, WarehouseError
from csat.marts.dbt_process import Progress
from csat.marts.results import DbtResult, NodeResult

_MAX_ROWS = 10
_LEVELS = {"warn": "warning", "fail": "error"}


def with_found_rows(warehouse: Warehouse, result: DbtResult, progress: Progress) -> DbtResult:
    """The results with the first rows of each such test in its message, for csat_ops.dbt_tests.

    The progress lines have their number only: a row may have an agent's name.
    """
    return replace(result, nodes=tuple(_with_rows(warehouse, node, progress) for node in result.nodes))


def _with_rows(warehouse: Warehouse, node: NodeResult, progress: Progress) -> NodeResult:
    if node.status not in _LEVELS or not node.sql:
        return node
    progress(f"{_LEVELS[node.status]}: {node.name} found {node.failures} rows; csat_ops.dbt_tests lists them")
    try:
        rows = warehouse.rows(f"select * from (\n{node.sql}\n) limit {_MAX_ROWS}")
    except WarehouseError:  # the number is enough: a test whose rows cannot be read fails no build
        return node
    return replace(node, message=f"{node.message}: {'; '.join(map(_listed, rows))}")


def _listed(row: dict[str, object]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in row.items() if value is not None)
