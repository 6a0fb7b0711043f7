"""The numbers of dbt_project.yml that code beside dbt needs: each is defined there, and only there."""

from functools import cache
from typing import Any

import yaml

from csat.settings import ROOT

_FILE = ROOT / "dbt" / "dbt_project.yml"
ALL_TIME = "all"


@cache
def mart_variables() -> dict[str, Any]:
    """dbt's variables by name."""
    variables: dict[str, Any] = yaml.safe_load(_FILE.read_text())["vars"]
    return variables


def window_days() -> dict[str, int]:
    """Days of the rolling windows by their id, the shortest first."""
    windows = sorted(mart_variables()["windows"], key=lambda window: int(window["days"]))
    return {window["id"]: window["days"] for window in windows}
