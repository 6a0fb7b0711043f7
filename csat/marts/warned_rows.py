"""The rows that a test of dbt warns of. dbt's message has only their number."""

from dataclasses import replace

from csat.bigquery.client import Warehouse, WarehouseError
from csat.marts.dbt_process import Progress
from csat.marts.results import DbtResult, NodeResult

_MAX_ROWS = 10


def with_warned_rows(warehouse: Warehouse, result: DbtResult, progress: Progress) -> DbtResult:
    """The results with the first rows of each warning test in its message, for csat_ops.dbt_tests.

    The progress lines have their number only: a row may have an agent's name.
    """
    return replace(result, nodes=tuple(_with_rows(warehouse, node, progress) for node in result.nodes))


def _with_rows(warehouse: Warehouse, node: NodeResult, progress: Progress) -> NodeResult:
    if node.status != "warn" or not node.sql:
        return node
    progress(f"warning: {node.name} found {node.failures} rows; csat_ops.dbt_tests lists them")
    try:
        rows = warehouse.rows(f"select * from (\n{node.sql}\n) limit {_MAX_ROWS}")
    except WarehouseError:  # a warning must not fail a build
        return node
    listed = "; ".join(", ".join(f"{name}: {value}" for name, value in row.items()) for row in rows)
    return replace(node, message=f"{node.message}: {listed}")
