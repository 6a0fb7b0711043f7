"""What builds leave out, or what somebody spoils, is found by counting everything, mended, and told."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.integration.marts.conftest import Marts, at, survey_response
from warehouse import marts
from warehouse.reconcile import Reconciliation, reconcile

pytestmark = pytest.mark.integration

FCT = "fct_survey_responses"
LATEST = date(2026, 11, 10)
OLD = LATEST - timedelta(days=91)  # builds look back 90 days
WEEK_AGO = LATEST - timedelta(days=7)
LATER: dict[str, Any] = {"ingested_at": datetime(2026, 11, 12, tzinfo=UTC), "batch_id": "b2"}


@pytest.fixture(scope="module")
def world(make_marts: Callable[[str], Marts]) -> Marts:
    """Marts of four responses: one of long ago, one of a week ago, two of the latest day."""
    made = make_marts("reconcile")
    days = [OLD, WEEK_AGO, LATEST, LATEST]
    ingested_at = datetime(2026, 11, 11, tzinfo=UTC)
    made.land([survey_response(number, at(day), ingested_at=ingested_at) for number, day in enumerate(days)])
    made.build()
    return made


@pytest.fixture(scope="module")
def late(world: Marts) -> tuple[Marts, marts.BuildReport]:
    """After answers of long ago came, and a build left them: a new one, and a copy that is the first in Kafka."""
    before = at(OLD) + timedelta(milliseconds=500)
    world.land(
        [
            survey_response(10, at(OLD), agent_id="late", **LATER),
            survey_response(0, at(OLD), csat_score=1, kafka_timestamp=before, kafka_partition=1, **LATER),
        ]
    )
    return world, world.build()


@pytest.fixture(scope="module")
def mended(late: tuple[Marts, marts.BuildReport]) -> tuple[Marts, Reconciliation, list[str]]:
    """After a reconciliation that also finds a board and a daily count that somebody spoiled."""
    world = late[0]
    world.execute("delete from `{table}` where answered_date = '2026-11-03'", "marts", "agg_agent_daily")
    board = "leaderboard_date = '2026-11-05' and window_id = '7d'"
    world.execute(f"update `{{table}}` set answer_count = 5 where {board}", "marts", "agent_leaderboard")
    lines: list[str] = []
    return world, reconcile(world.settings, on_progress=lines.append), lines


def test_build_leaves_answers_of_long_ago(late: tuple[Marts, marts.BuildReport]) -> None:
    world, report = late
    assert report.record is not None
    assert report.record.touched_dates == (WEEK_AGO, LATEST)
    assert world.execute("select answered_date from `{table}` where agent_id = 'late'", "marts", FCT) == []


def test_reconciliation_tells_what_differed(mended: tuple[Marts, Reconciliation, list[str]]) -> None:
    _, found, lines = mended
    assert found.status == "repaired"
    assert [(item.mart, item.answered_date, item.expected_count, item.found_count) for item in found.differences] == [
        ("fct_survey_responses", OLD, 2, 1),
        ("agg_agent_daily", WEEK_AGO, 1, None),
        ("agent_leaderboard", date(2026, 11, 5), 1, 5),
    ]
    assert "fct_survey_responses has 1 answers instead of 2 of 2026-08-11" in lines
    assert found.test_count > 30


def test_reconciliation_takes_the_first_message_of_long_ago(mended: tuple[Marts, Reconciliation, list[str]]) -> None:
    rows = mended[0].execute("select csat_score, message_count from `{table}` where response_id = 'r0'", "marts", FCT)
    assert rows == [{"csat_score": 1, "message_count": 2}]


def test_reconciliation_leaves_nothing_to_find(mended: tuple[Marts, Reconciliation, list[str]]) -> None:
    again = reconcile(mended[0].settings, on_progress=[].append)
    assert (again.status, again.differences) == ("agreed", ())


def test_reconciled_marts_equal_a_full_refresh(mended: tuple[Marts, Reconciliation, list[str]]) -> None:
    world = mended[0]
    before = world.snapshot()
    world.build(full_refresh=True)
    assert world.snapshot() == before


def test_rebuild_of_dates_builds_them_though_nothing_came(mended: tuple[Marts, Reconciliation, list[str]]) -> None:
    world = mended[0]
    before, last = world.snapshot(), marts.last_build(world.settings)
    world.execute("update `{table}` set csat_score = 2 where true", "marts", FCT)
    report = marts.rebuild(world.settings, dates=(LATEST, LATEST), on_progress=[].append)
    scores = world.execute("select answered_date, min(csat_score) as score from `{table}` group by 1", "marts", FCT)
    assert {row["answered_date"]: row["score"] for row in scores} == {OLD: 2, WEEK_AGO: 2, LATEST: 5}
    assert (report.status, marts.last_build(world.settings)) == ("partial", last)
    marts.rebuild(world.settings, dates=(OLD, LATEST), on_progress=[].append)
    assert world.snapshot() == before
