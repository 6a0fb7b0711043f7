"""Filters that are kept in the URL, so that a view can be shared, and the download of what a page shows."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import streamlit as st

from csat.reporting.definitions import variables
from csat.reporting.variables import ALL_TIME

# What a spreadsheet would run as a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def window_filter(*, has_all: bool = False) -> str:
    """The window that the viewer chose, by default the longest rolling one. The URL takes the label of the button."""
    windows = [*variables().window_days, *([ALL_TIME] if has_all else [])]
    chosen: str | None = st.segmented_control(
        "Period",
        windows,
        default=list(variables().window_days)[-1],
        required=True,
        key="window",
        bind="query-params",
    )
    assert chosen is not None
    return chosen


def window_name(window: str) -> str:
    """The label of a window: "28 days" for 28d, "All time" for all."""
    return "All time" if window == ALL_TIME else f"{variables().window_days[window]} days"


def choice(label: str, key: str, options: Sequence[str]) -> str:
    """One of the options, or an empty string for all of them."""
    chosen: str | None = st.selectbox(
        label, options, index=None, placeholder="All", key=key, bind="query-params", filter_mode="contains"
    )
    return chosen or ""


def day_filter(label: str, key: str, default: date, first: date, last: date) -> date:
    """A UTC date between the first and the last."""
    chosen: date = st.date_input(
        label, default, min_value=first, max_value=last, key=key, bind="query-params", format="YYYY-MM-DD"
    )
    return chosen


def download(name: str, rows: Sequence[Mapping[str, Any]], label: str = "CSV") -> None:
    """A button that saves the rows that are shown, of one level and in their order, as a CSV file."""
    st.download_button(
        label,
        lambda: csv_file(rows),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"download-{name}",
        disabled=not rows,
        help="Download these rows, of all pages, with all columns",
    )


def csv_file(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows as CSV with a header, in UTF-8 with the mark that spreadsheets need; times are ISO 8601."""
    text = io.StringIO()
    if rows:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(rows[0])
        writer.writerows([_plain(value) for value in row.values()] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _plain(value: Any) -> Any:
    """A value as a spreadsheet reads it: true or false, and the items of a list separated by semicolons."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "; ".join(str(_plain(item)) for item in value)
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
