"""The project on the next dbt version, in a separate environment: `make test-long NAME=dbt-next`."""

import json
import re
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import ROOT, environment
from tests.integration.marts.conftest import Marts, at, survey_response

pytestmark = [pytest.mark.integration, pytest.mark.dbt_next]

OURS, NEXT = (ROOT / folder / "bin" for folder in (".venv", ".venvs/dbt-next"))
FIRST_DAY = date(2026, 10, 1)
# A build of this project with the environment's own dbt.
BUILD = (
    "from csat.contract.settings import get_settings; from csat.marts.build import build; "
    "print(build(get_settings()).status)"
)


def recorded(programs: Path, folder: Path) -> list[dict[str, Any]]:
    """The statements that this dbt would send, by model, without the time in the names of temporary tables."""
    variables = {"CSAT_TOUCHED_DATES": '["2026-01-05", "2026-01-06"]', "CSAT_AS_OF": "2026-01-08"}
    command = [str(programs / "python"), "-m", "tools.sqlcheck.record", str(folder / "recording.json")]
    subprocess.run(command, cwd=ROOT, env=environment(**variables), check=True, capture_output=True)
    text = re.sub(r"__dbt_tmp\d+", "__dbt_tmp", (folder / "recording.json").read_text())
    statements: list[dict[str, Any]] = json.loads(text)["statements"]
    return sorted(statements, key=itemgetter("origin"))  # the order of independent models is not defined


def test_version_differs_from_ours() -> None:
    versions = [
        re.findall(
            r"installed: (\S+)",
            subprocess.run([programs / "dbt", "--version"], capture_output=True, text=True, check=True).stdout,
        )
        for programs in (OURS, NEXT)
    ]
    assert [version[0].split(".")[:2] for version in versions] == [["1", "11"], ["1", "12"]]


def test_next_dbt_sends_the_same_statements(tmp_path_factory: pytest.TempPathFactory) -> None:
    ours, following = (recorded(programs, tmp_path_factory.mktemp("recording")) for programs in (OURS, NEXT))
    assert len(ours) > 80
    assert following == ours


def test_next_dbt_builds_the_same_rows(make_marts: Callable[[], Marts], tmp_path: Path) -> None:
    world = make_marts()
    days = [FIRST_DAY + timedelta(days=number) for number in (0, 9, 20)]
    world.land([survey_response(number, at(day), agent_id=f"a{number % 2}") for number, day in enumerate(days * 9)])
    assert _build(world, tmp_path) == "succeeded"
    late = {"ingested_at": at(days[-1]) + timedelta(days=1), "batch_id": "b2"}
    world.land([survey_response(100 + number, at(days[1]), csat_score=2, **late) for number in range(3)])
    assert _build(world, tmp_path) == "succeeded"
    before = world.snapshot()
    world.build(full_refresh=True)
    assert world.snapshot() == before


def test_next_dbt_runs_the_unit_tests(make_marts: Callable[[], Marts], tmp_path: Path) -> None:
    settings = make_marts().settings
    arguments = [
        "test",
        "--profiles-dir",
        ".",
        "--select",
        "test_type:unit",
        "--target-path",
        str(tmp_path),
        "--log-path",
        str(tmp_path),
    ]
    variables = {
        "CSAT_BIGQUERY_ENDPOINT": settings.endpoint,
        "CSAT_DATASET_PREFIX": settings.dataset_prefix,
        "CSAT_STATE_DIR": str(settings.state),
    }
    outcome = subprocess.run(
        [NEXT / "dbt", *arguments],
        cwd=ROOT / "dbt",
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"PASS=9 WARN=0 ERROR=0", outcome.stdout), outcome.stdout


def _build(world: Marts, state: Path) -> str:
    """The status of a build with a separate state folder, so that nothing of ours is reused."""
    settings = world.settings.model_copy(update={"state_dir": state})
    outcome = subprocess.run(
        [NEXT / "python", "-c", BUILD],
        cwd=ROOT,
        env=environment(**settings.as_environment()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.strip()
