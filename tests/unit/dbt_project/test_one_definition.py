"""A definition is changed in one place, `vars` of dbt_project.yml, and everything that names it follows."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from csat.settings import ROOT, environment

OTHER: dict[str, Any] = {
    "prior_answers": 37,
    "minimum_answers": 17,
    "z": 1.2345,
    "minimum_comparison_answers": 123,
    "leaderboard_tiers": 4,
    "windows": [{"id": "5d", "days": 5}, {"id": "31d", "days": 31}],
    "smoothing_days": 11,
    "lookback_days": 13,
}
WHAT_CODE_SAYS = """
import json
from pathlib import Path
from tests.integration.marts import recount
from dataclasses import asdict
from dashboard.definitions import variables
from dashboard.report import report
from warehouse.mart_variables import ranking_window, with_values
print(json.dumps({
    "recount": [recount.K, recount.MINIMUM, recount.Z, recount.COMPARABLE, recount.TIERS, recount.SMOOTHING.days],
    "windows": recount.WINDOWS,
    "shown": ranking_window(),
    "board": asdict(variables()),
    "report": [chart.query.template for chart in report().charts],
    "page": with_values(Path("docs/metrics.md").read_text()),
}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree with other definitions, changed in one place."""
    folder: Path = tmp_path_factory.mktemp("copy")
    without = shutil.ignore_patterns("__pycache__", "target", "logs")
    for name in ("csat", "dashboard", "dbt", "docs", "sqlcheck", "tests", "warehouse"):
        shutil.copytree(ROOT / name, folder / name, ignore=without)
    file = folder / "dbt" / "dbt_project.yml"
    project = yaml.safe_load(file.read_text())
    assert project["vars"].keys() == OTHER.keys()
    file.write_text(yaml.safe_dump(project | {"vars": OTHER}))
    return folder


def run(copy: Path, *words: str, **variables: str) -> str:
    return subprocess.run(
        [sys.executable, *words], cwd=copy, env=environment(**variables), capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def said(copy: Path) -> dict[str, Any]:
    """What the code beside dbt makes of it."""
    document: dict[str, Any] = json.loads(run(copy, "-c", WHAT_CODE_SAYS))
    return document


@pytest.fixture(scope="module")
def sql(copy: Path) -> dict[str, str]:
    """What dbt would send for each model, all its statements together."""
    run(copy, "-m", "sqlcheck.record", "recording.json", "--project", "dbt")
    texts: dict[str, str] = {}
    for statement in json.loads((copy / "recording.json").read_text())["statements"]:
        name = statement["origin"].split(",")[0].split(" ")[0].split("/")[-1].split(".")[0]
        texts[name] = texts.get(name, "") + re.sub(r"\s+", " ", statement["sql"])
    return texts


@pytest.mark.parametrize(
    ("model", "piece"),
    [
        ("agent_leaderboard", "+ 37 * max(window_csat_rate)"),
        ("agent_leaderboard", "(sum(answer_count) + 37)"),
        ("agent_leaderboard", "sum(answer_count) >= 17"),
        ("agent_leaderboard", "0, 17 - ranked_agents.answer_count"),
        ("agent_leaderboard", "1 + pow(1.2345, 2) / answer_count"),
        ("agent_leaderboard", "tier_4.tier"),
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


def test_sql_holds_none_of_the_numbers_from_before(sql: dict[str, str]) -> None:
    text = " ".join(sql[name] for name in ("agent_leaderboard", "category_ranking", "response_series"))
    assert re.findall(r"\b1\.96\b|\b28d\b|'7d'|tier_5|\b167 preceding|\b168\b|>= 20\b|\b25 \*", text) == []


def test_recount_follows(said: dict[str, Any]) -> None:
    assert said["recount"] == [37, 17, 1.2345, 123, 4, 11]
    assert said["windows"] == {"5d": 5, "31d": 31}


def test_board_follows(said: dict[str, Any]) -> None:
    assert said["shown"] == "31d"
    assert sum("window_id = '31d'" in sql for sql in said["report"]) == 7
    assert not any("28d" in sql or "{window}" in sql for sql in said["report"])
    assert said["board"] == {
        "z": 1.2345,
        "prior_answers": 37,
        "minimum_answers": 17,
        "minimum_comparison_answers": 123,
        "window_days": {"5d": 5, "31d": 31},
    }


def test_page_of_the_metrics_follows(said: dict[str, Any]) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", said["page"], re.MULTILINE))
    assert {name: rows[name] for name in OTHER} == {
        "prior_answers": "37",
        "minimum_answers": "17",
        "z": "1.2345",
        "minimum_comparison_answers": "123",
        "leaderboard_tiers": "4",
        "windows": "5d, 31d",
        "smoothing_days": "11",
        "lookback_days": "13",
    }
