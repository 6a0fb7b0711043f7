"""How many rows the marts of a history have, against counts made by hand."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tools.bench.bigquery_scans import Measured
from tools.bench.mart_sizes import sizes

# Day of October, hour, agent, category, sub-category: the last is more than a week after the others
RESPONSES = [
    (1, 9, "a", "Returns", "Wrong"),
    (1, 9, "a", "Order", "Missing"),
    (1, 10, "bb", "Returns", "Wrong"),
    (2, 9, "a", "Order", "Wrong"),
    (20, 9, "a", "Returns", "Wrong"),
]


@pytest.fixture
def measured(tmp_path: Path) -> tuple[int, dict[str, Measured]]:
    times = [datetime(2026, 10, day, hour, 30, tzinfo=UTC) for day, hour, *_ in RESPONSES]
    texts = zip(*(answer[2:] for answer in RESPONSES), strict=True)
    columns = dict(zip(("agent_id", "category", "sub_category"), map(pa.array, texts), strict=True))
    columns |= {"survey_answered_at": pa.array(times, pa.timestamp("us", "UTC")), "channel": pa.repeat("Email", 5)}
    columns["order_id"] = pa.array(["x" * 10, None, None, None, None])
    parquet.write_table(pa.table(columns), tmp_path / "history.parquet")
    return sizes([tmp_path / "history.parquet"])


def test_rows_are_counted_by_grain(measured: tuple[int, dict[str, Measured]]) -> None:
    days, tables = measured
    assert days == 3
    assert {name: table.rows for name, table in tables.items()} == {
        "survey_responses": 5,
        "fct_survey_responses": 5,
        "agg_agent_daily": 5,
        "agg_category_daily": 4,
        "agg_response_hourly": 5,
        "response_series": 5,
        "int_agents_dated": 4,
        "dim_agents": 2,
        # 7d: a on the 1st to the 8th and on the 20th, bb on the 1st to the 7th; 28d: 20 dates each; all: 2
        "agent_leaderboard": 8 + 1 + 7 + 20 + 20 + 2,
        # Wrong of Returns, Missing of Order, Wrong of Order, Returns, Order
        "category_ranking": (7 + 1) + 7 + 7 + (7 + 1) + 8 + (20 + 20 + 19 + 20 + 20) + 5,
    }


def test_string_sizes_are_means_with_two_extra_bytes_and_none_for_a_null(
    measured: tuple[int, dict[str, Measured]],
) -> None:
    texts = measured[1]["survey_responses"].text_bytes
    assert (texts["agent_id"], texts["order_id"], texts["channel"]) == (2 + 6 / 5, 12 / 5, 2 + 5.0)
