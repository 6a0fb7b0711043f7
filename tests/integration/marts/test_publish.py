"""Readers see a whole build that passed its tests, or the one before."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from csat.bigquery.client import WarehouseError
from csat.bigquery.query import Query
from csat.contract.errors import CsatError
from csat.contract.settings import ROOT
from csat.marts import build as marts
from csat.marts import dbt_process, publish, run_dbt
from csat.reporting.queries import FAILED_SINCE
from tests.integration.marts.conftest import TABLES, Marts, at, published, survey_response

pytestmark = pytest.mark.integration

PUBLISHED = [table for table in TABLES if not table.startswith("int_")]
OFTEN = ("fct_survey_responses", "category_ranking")
FAILS = "select * from {{{{ ref('{model}') }}}}"


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts]) -> Marts:
    return published(make_marts())


@pytest.fixture(scope="module")
def failing_test(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A test in a copy of the dbt project, which is the same for all builds: dbt parses it once."""
    folder = tmp_path_factory.mktemp("project") / "dbt"
    shutil.copytree(ROOT / "dbt", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_dbt, "PROJECT", folder)
        patch.setattr(dbt_process, "PROJECT", folder)
        yield folder / "tests" / "never_passes.sql"


FIRST_NUMBER = 100
_numbers = itertools.count(FIRST_NUMBER)


def _param(model: str) -> object:
    """The first model and one of the last are enough for every run."""
    return model if model in OFTEN else pytest.param(model, marks=pytest.mark.long)


@pytest.mark.parametrize("model", [_param(model) for model in PUBLISHED])
def test_a_failing_test_of_any_model_changes_nothing_that_readers_see(
    world: Marts, failing_test: Path, model: str
) -> None:
    before, builds = world.snapshot(), world.execute("select * from `{table}`", "ops", "mart_builds")
    failing_test.write_text(FAILS.format(model=model))
    landed_at = datetime(2026, 11, 20, tzinfo=UTC)
    world.land([survey_response(next(_numbers), at(date(2026, 11, 3)), csat_score=1, ingested_at=landed_at)])
    with pytest.raises(CsatError, match="never_passes; readers still see the build before"):
        world.build()
    after = world.snapshot()
    assert {name for name in PUBLISHED if after[name] != before[name]} == set()
    assert world.execute("select * from `{table}`", "ops", "mart_builds") == builds
    [failure] = FAILED_SINCE.rows(world.warehouse)
    assert (failure["kind"], failure["name"]) == ("test", "never_passes")
    assert failure["failed_at"] > max(build["built_at"] for build in builds)


def test_a_refused_statement_leaves_every_mart_and_the_record_as_they_were(
    world: Marts, failing_test: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_test.unlink()
    before = world.snapshot()
    last = marts.last_build(world.settings)
    real = publish.transaction
    broken = Query("select error('no') as nothing;")
    monkeypatch.setattr(publish, "transaction", lambda replacements: real([*replacements, broken]))
    with pytest.raises(WarehouseError, match="no"):
        world.build(full_refresh=True)
    after = world.snapshot()
    assert {name for name in PUBLISHED if after[name] != before[name]} == set()
    assert marts.last_build(world.settings) == last


def test_the_next_build_publishes_what_the_failed_ones_held_back(world: Marts) -> None:
    world.build()
    assert FAILED_SINCE.rows(world.warehouse) == []
    scores = world.execute(
        "select count(*) as row_count from `{table}` where csat_score = 1", "marts", "fct_survey_responses"
    )
    assert scores == [{"row_count": next(_numbers) - FIRST_NUMBER}]


def test_a_mart_with_other_columns_is_replaced_as_a_whole(world: Marts) -> None:
    expected = world.read("agg_agent_daily")
    world.execute("alter table `{table}` drop column score_sum", "marts", "agg_agent_daily")
    world.land([survey_response(99, at(date(2026, 11, 2)), ingested_at=datetime(2026, 11, 21, tzinfo=UTC))])
    world.build()
    found = world.read("agg_agent_daily")
    assert {row["response_date"] for row in found} == {row["response_date"] for row in expected}
    assert sum(row["score_sum"] for row in found) == sum(row["score_sum"] for row in expected) + 5


def test_a_mart_that_is_missing_gets_all_rows(world: Marts) -> None:
    expected = world.read("category_ranking")
    world.execute("drop table `{table}`", "marts", "category_ranking")
    world.land([survey_response(98, at(date(2026, 11, 3)), ingested_at=datetime(2026, 11, 22, tzinfo=UTC))])
    world.build()
    dates = {row["ranking_date"] for row in world.read("category_ranking")}
    assert dates == {row["ranking_date"] for row in expected}
