"""A variable is changed in one place, `vars` of dbt_project.yml, and everything that uses it follows."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from csat.contract.settings import ROOT, environment

OTHER: dict[str, Any] = {
    "prior_responses": 37,
    "minimum_responses": 17,
    "z": 1.2345,
    "minimum_comparison_responses": 123,
    "leaderboard_tiers": 4,
    "windows": [{"id": "5d", "days": 5}, {"id": "31d", "days": 31}],
    "smoothing_days": 11,
    "lookback_days": 13,
}
PRINT_VALUES = """
import json
from pathlib import Path
from tests.integration.marts import recount
from dataclasses import asdict
from csat.reporting.definitions import variables
from csat.reporting.report import report
from csat.reporting.variables import ranking_window, with_values
print(json.dumps({
    "recount": [recount.K, recount.MINIMUM, recount.Z, recount.COMPARABLE, recount.TIERS, recount.SMOOTHING.days],
    "windows": recount.WINDOWS,
    "default_window": ranking_window(),
    "dashboard": asdict(variables()),
    "report": [chart.query.text for chart in report().charts],
    "page": with_values(Path("docs/metrics.md").read_text()),
}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree with other values, changed in one place."""
    folder: Path = tmp_path_factory.mktemp("copy")
    without = shutil.ignore_patterns("__pycache__", "target", "logs")
    for name in ("csat", "dbt", "docs", "tests", "tools"):
        shutil.copytree(ROOT / name, folder / name, ignore=without)
    file = folder / "dbt" / "dbt_project.yml"
    project = yaml.safe_load(file.read_text())
    assert project["vars"].keys() == OTHER.keys()
    file.write_text(yaml.safe_dump(project | {"vars": OTHER}))
    return folder


def run(copy: Path, *arguments: str, **variables: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment(**variables), capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def values(copy: Path) -> dict[str, Any]:
    """The values that the code outside dbt uses."""
    document: dict[str, Any] = json.loads(run(copy, "-c", PRINT_VALUES))
    return document


@pytest.fixture(scope="module")
def sql(copy: Path) -> dict[str, str]:
    """The statements that dbt would send for each model, concatenated."""
    run(copy, "-m", "tools.sqlcheck.record", "recording.json", "--project", "dbt")
    texts: dict[str, str] = {}
    for statement in json.loads((copy / "recording.json").read_text())["statements"]:
        name = statement["origin"].split(",")[0].split(" ")[0].split("/")[-1].split(".")[0]
        texts[name] = texts.get(name, "") + re.sub(r"\s+", " ", statement["sql"])
    return texts


@pytest.mark.parametrize(
    ("model", "piece"),
    [
        ("agent_leaderboard", "+ 37 * max(window_csat_rate)"),
        ("agent_leaderboard", "(sum(response_count) + 37)"),
        ("agent_leaderboard", "sum(response_count) >= 17"),
        ("agent_leaderboard", "0, 17 - ranked_agents.response_count"),
        ("agent_leaderboard", "1 + pow(1.2345, 2) / response_count"),
        ("agent_leaderboard", "from tier_4"),
        ("agent_leaderboard", "struct('31d' as window_id, 31 as window_days)"),
        ("agent_leaderboard", "window_id in ('all', '5d', '31d')"),
        ("category_ranking", "abs(csat_change_z) >= 1.2345"),
        ("category_ranking", ">= 123"),
        ("category_ranking", "struct('5d' as window_id, 5 as window_days)"),
        ("response_series", "263 preceding and current row"),
        ("fct_survey_responses", "interval 12 day"),
    ],
)
def test_sql_follows(sql: dict[str, str], model: str, piece: str) -> None:
    assert piece in sql[model]


def test_sql_contains_none_of_the_original_values(sql: dict[str, str]) -> None:
    text = " ".join(sql[name] for name in ("agent_leaderboard", "category_ranking", "response_series"))
    assert re.findall(r"\b1\.96\b|\b28d\b|'7d'|tier_5|\b167 preceding|\b168\b|>= 20\b|\b25 \*", text) == []


def test_recount_follows(values: dict[str, Any]) -> None:
    assert values["recount"] == [37, 17, 1.2345, 123, 4, 11]
    assert values["windows"] == {"5d": 5, "31d": 31}


def test_dashboard_follows(values: dict[str, Any]) -> None:
    assert values["default_window"] == "31d"
    assert sum("window_id = '31d'" in sql for sql in values["report"]) == 7
    assert not any("28d" in sql or "{window}" in sql for sql in values["report"])
    assert values["dashboard"] == {
        "z": 1.2345,
        "prior_responses": 37,
        "minimum_responses": 17,
        "minimum_comparison_responses": 123,
        "window_days": {"5d": 5, "31d": 31},
    }


def test_metrics_page_follows(values: dict[str, Any]) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", values["page"], re.MULTILINE))
    assert {name: rows[name] for name in OTHER} == {
        "prior_responses": "37",
        "minimum_responses": "17",
        "z": "1.2345",
        "minimum_comparison_responses": "123",
        "leaderboard_tiers": "4",
        "windows": "5d, 31d",
        "smoothing_days": "11",
        "lookback_days": "13",
    }
