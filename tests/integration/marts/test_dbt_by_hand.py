"""dbt run manually, from its folder with the project's own profile: build, test, run, and docs."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import ROOT, environment
from csat.marts import build as marts
from tests.integration.marts.conftest import Marts, at, survey_response

pytestmark = pytest.mark.integration

TODAY = datetime.now(UTC).date()
Dbt = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts]) -> Marts:
    """A landing table with responses of yesterday and of two weeks ago."""
    made = make_marts()
    made.land([survey_response(number, at(TODAY - timedelta(days=days))) for number, days in enumerate([1, 1, 14])])
    return made


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture(scope="module")
def dbt(world: Marts, target: Path) -> Dbt:
    """Runs dbt with the documented variables."""
    variables = {
        "CSAT_BIGQUERY_ENDPOINT": world.settings.endpoint,
        "CSAT_DATASET_PREFIX": world.settings.dataset_prefix,
        "CSAT_STATE_DIR": str(world.settings.state),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target / "logs"),
    }

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(Path(sys.executable).with_name("dbt")), *arguments, "--profiles-dir", "."]
        outcome = subprocess.run(
            command, cwd=ROOT / "dbt", env=environment(**variables), capture_output=True, text=True, check=False
        )
        assert outcome.returncode == 0, outcome.stdout
        return outcome

    return run


@pytest.fixture(scope="module")
def built(world: Marts, dbt: Dbt) -> tuple[Marts, str]:
    """The marts after `dbt build`, and its output."""
    return world, dbt("build").stdout


def results(target: Path) -> dict[str, str]:
    """Status of each node of the last invocation, by its id."""
    document = json.loads((target / "run_results.json").read_text())
    return {result["unique_id"]: result["status"] for result in document["results"]}


def test_build_creates_every_mart_and_runs_the_unit_tests(built: tuple[Marts, str], target: Path) -> None:
    found = results(target)
    assert sum(name.startswith("unit_test.") for name in found) >= 9
    assert set(found.values()) == {"success", "pass", "no-op"}  # exposures are not built
    world = built[0]
    assert len(world.execute("select * from `{table}`", "candidate", "fct_survey_responses")) == 3
    windows = world.execute("select window_id from `{table}`", "candidate", "agent_leaderboard")
    assert {window["window_id"] for window in windows} == {"7d", "28d", "all"}


def test_run_builds_the_last_days_and_the_windows_that_include_them(built: tuple[Marts, str], dbt: Dbt) -> None:
    world = built[0]
    world.land([survey_response(10, at(TODAY - timedelta(days=1))), survey_response(11, at(TODAY - timedelta(days=9)))])
    dbt("run")
    rows = world.execute(
        "select response_date, count(*) as row_count from `{table}` group by 1", "candidate", "fct_survey_responses"
    )
    assert {(TODAY - row["response_date"]).days: row["row_count"] for row in rows} == {1: 3, 14: 1}
    dbt("test", "--select", "fct_survey_responses")


def test_publish_shows_readers_what_dbt_built(built: tuple[Marts, str]) -> None:
    world = built[0]
    report = marts.publish_candidate(world.settings, on_progress=world.lines.append)
    assert (report.status, report.record and report.record.is_full_refresh) == ("partial", True)
    assert marts.last_build(world.settings) is None  # it moved no watermark
    assert len(world.read("fct_survey_responses")) == 4
    assert {window["window_id"] for window in world.read("agent_leaderboard")} == {"7d", "28d", "all"}


def test_docs_include_every_column_and_the_dashboards(built: tuple[Marts, str], dbt: Dbt, target: Path) -> None:
    dbt("docs", "generate")
    manifest: dict[str, Any] = json.loads((target / "manifest.json").read_text())
    catalog: dict[str, Any] = json.loads((target / "catalog.json").read_text())
    assert (target / "index.html").stat().st_size > 100_000
    assert set(manifest["exposures"]) == {"exposure.csat.local_dashboard", "exposure.csat.data_studio_report"}
    assert catalog["errors"] is None
