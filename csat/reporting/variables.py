"""The variables of dbt_project.yml, for the code and documents outside dbt. Each is defined only there."""

import re
from functools import cache
from typing import Any

import yaml

from csat.contract.errors import CsatError
from csat.contract.settings import ROOT

_FILE = ROOT / "dbt" / "dbt_project.yml"
ALL_TIME = "all"
_TABLE_ROW = re.compile(r"^\| `(?P<name>\w+)` \| [^|]* \|", re.MULTILINE)


@cache
def mart_variables() -> dict[str, Any]:
    """dbt's variables by name."""
    variables: dict[str, Any] = yaml.safe_load(_FILE.read_text())["vars"]
    return variables


def window_days() -> dict[str, int]:
    """Days of the rolling windows by their id, the shortest first."""
    windows = sorted(mart_variables()["windows"], key=lambda window: int(window["days"]))
    return {window["id"]: window["days"] for window in windows}


def ranking_window(name: str = "") -> str:
    """The window of this name, by default the longest rolling one. Raises CsatError."""
    rolling = list(window_days())
    if name and name not in {*rolling, ALL_TIME}:
        raise CsatError(f"no window {name!r}", f"use one of {', '.join([*rolling, ALL_TIME])}")
    return name or rolling[-1]


def with_values(page: str) -> str:
    """The page with the current value in the second cell of each table row whose first cell names a variable."""

    def filled(row: re.Match[str]) -> str:
        value = mart_variables().get(row["name"])
        if row["name"] == "windows":
            value = ", ".join(window_days())
        return row[0] if value is None else f"| `{row['name']}` | {value} |"

    return _TABLE_ROW.sub(filled, page)
