"""The number of rows of each table for a history of responses, counted without a warehouse."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from csat.contract import landing
from csat.reporting.variables import window_days
from tools.bench.bigquery_scans import TEXT_BYTES, Measured

_COLUMNS = ("survey_answered_at", "agent_id", "channel", "category", "sub_category")
# Columns of the marts that the landing table lacks. There are no duplicates.
_MADE_TEXTS = {
    "window_id": TEXT_BYTES + len("28d"),
    "first_reply_bucket": TEXT_BYTES + len("1 hour"),
    "other_messages": 0,
}


def sizes(files: Sequence[Path]) -> tuple[int, dict[str, Measured]]:
    """Days of the history, and rows and string sizes by table; the history has no duplicates or rejected messages."""
    responses = _responses(files)
    texts = _text_bytes(files[-1])
    days = len(pc.unique(responses["response_date"]))
    return days, {name: Measured(rows, texts) for name, rows in _rows(responses).items()}


def _responses(files: Sequence[Path]) -> pa.Table:
    table = pa.concat_tables(parquet.read_table(file, columns=list(_COLUMNS)) for file in files)
    answered = table["survey_answered_at"]
    table = table.append_column("response_date", answered.cast(pa.date32()))
    return table.append_column("response_hour", pc.floor_temporal(answered, unit="hour"))


def _text_bytes(file: Path) -> dict[str, float]:
    """Mean bytes of each string of a landing row, as BigQuery counts them."""
    rows = parquet.read_table(file)
    names = [one.name for one in rows.schema if pa.types.is_string(one.type) or pa.types.is_binary(one.type)]
    lengths = {name: pc.sum(pc.add(pc.binary_length(rows[name]), TEXT_BYTES)).as_py() or 0 for name in names}
    return {name: length / rows.num_rows for name, length in lengths.items()} | _MADE_TEXTS


def _rows(responses: pa.Table) -> dict[str, int]:
    hours = _distinct(responses, "response_hour", "channel", "category")
    categories = _ranking_rows(responses, "category", "sub_category") + _ranking_rows(responses, "category")
    return {
        landing.TABLE: responses.num_rows,
        "fct_survey_responses": responses.num_rows,
        "agg_agent_daily": _distinct(responses, "response_date", "agent_id", "channel", "category"),
        "agg_category_daily": _distinct(responses, "response_date", "category", "sub_category"),
        "agg_response_hourly": hours,
        "int_agents_dated": _distinct(responses, "response_date", "agent_id"),
        "dim_agents": _distinct(responses, "agent_id"),
        "agent_leaderboard": _ranking_rows(responses, "agent_id"),
        "category_ranking": categories,
        "response_series": hours,
    }


def _distinct(responses: pa.Table, *names: str) -> int:
    return int(responses.group_by(list(names)).aggregate([]).num_rows)


def _ranking_rows(responses: pa.Table, *names: str) -> int:
    """Rows of the rankings of all dates: one for each key with a response in the window; "all" on the last date."""
    seen = responses.group_by(["response_date", *names]).aggregate([])
    keys = pa.array(["\t".join(key) for key in zip(*(seen[name].to_pylist() for name in names), strict=True)])
    key_numbers = keys.dictionary_encode().indices.to_numpy()
    dates = seen["response_date"].cast(pa.int32()).to_numpy()
    is_seen = np.zeros((dates.max() - dates.min() + 1, key_numbers.max() + 1), dtype=np.int64)
    is_seen[dates - dates.min(), key_numbers] = 1
    until = np.vstack([np.zeros_like(is_seen[:1]), is_seen.cumsum(axis=0)])
    last = np.arange(1, len(until))
    counts = [np.count_nonzero(until[last] - until[np.maximum(last - days, 0)]) for days in window_days().values()]
    return int(sum(counts)) + int(is_seen.shape[1])
