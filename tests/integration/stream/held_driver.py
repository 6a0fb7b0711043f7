"""A driver on a day whose load jobs are all used: it holds its first batch."""

from datetime import UTC, datetime
from typing import Any

from spark import load_budget, stream_responses
from spark.load_budget import LoadBudget


def spent(warehouse: Any, clock: Any = None) -> LoadBudget:
    """A budget with nothing left until tomorrow."""
    return LoadBudget(1, [datetime.now(UTC)])


if __name__ == "__main__":
    load_budget.load_budget = spent
    stream_responses.main()
