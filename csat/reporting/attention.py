"""Which agents and categories need attention, by the rule of docs/metrics.md. Its figures are those of the marts."""

from collections.abc import Mapping
from typing import Any

from csat.bigquery.query import Rows

_Row = Mapping[str, Any]


def needs_attention(row: _Row) -> bool:
    """Whether a ranked agent's CSAT is significantly below expected, or a category's has dropped significantly.

    Significantly below: the whole interval of the difference is below zero.
    """
    if "csat_difference_high" in row:
        high = row["csat_difference_high"]
        return bool(row["is_ranked"]) and high is not None and high < 0
    return bool(row["is_significant"]) and row["csat_change"] < 0


def by_attention(rows: Rows) -> Rows:
    """Those that need attention first, then the others; among equals the most dissatisfied responses first."""
    return sorted(rows, key=lambda row: (not needs_attention(row), -row["dissatisfied_count"]))
