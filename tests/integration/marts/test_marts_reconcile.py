"""Reconciliation finds by counting what builds miss or somebody corrupts, fixes it, and reports it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from csat.marts import build as marts
from csat.marts.reconcile import Reconciliation, reconcile
from tests.integration.marts.conftest import TABLES, Marts, at, survey_response

pytestmark = pytest.mark.integration

FCT = "fct_survey_responses"
LATEST = date(2026, 11, 10)
OLD = LATEST - timedelta(days=91)  # builds look back 90 days
OLDER = OLD - timedelta(days=2)  # read by the stream before the first day that builds read
WEEK_AGO = LATEST - timedelta(days=7)
LATER: dict[str, Any] = {"ingested_at": datetime(2026, 11, 12, tzinfo=UTC), "batch_id": "b2"}


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts]) -> Marts:
    """Marts of responses older than the look-back, of which one landed then, of a week ago, and of the latest day."""
    made = make_marts()
    days = [OLD, WEEK_AGO, LATEST, LATEST]
    ingested_at = datetime(2026, 11, 11, tzinfo=UTC)
    made.land([survey_response(number, at(day), ingested_at=ingested_at) for number, day in enumerate(days)])
    made.land([survey_response(20, at(OLDER))])
    made.build()
    return made


@pytest.fixture(scope="module")
def late(world: Marts) -> tuple[Marts, marts.BuildReport]:
    """After a build that missed old responses: a new one, and duplicates: one is first in Kafka, one is recent."""
    before = at(OLD) + timedelta(milliseconds=500)
    world.land(
        [
            survey_response(10, at(OLD), agent_id="late", **LATER),
            survey_response(0, at(OLD), csat_score=1, kafka_timestamp=before, kafka_partition=1, **LATER),
            survey_response(20, at(WEEK_AGO), **LATER),
        ]
    )
    return world, world.build()


@pytest.fixture(scope="module")
def reconciled(late: tuple[Marts, marts.BuildReport]) -> tuple[Marts, Reconciliation, list[str]]:
    """After a reconciliation that also finds a corrupted leaderboard and a corrupted daily count."""
    world = late[0]
    world.execute("delete from `{table}` where response_date = '2026-11-03'", "marts", "agg_agent_daily")
    rows = "leaderboard_date = '2026-11-05' and window_id = '7d'"
    world.execute(f"update `{{table}}` set response_count = 5 where {rows}", "marts", "agent_leaderboard")
    lines: list[str] = []
    return world, reconcile(world.settings, on_progress=lines.append), lines


def test_build_misses_old_responses(late: tuple[Marts, marts.BuildReport]) -> None:
    world, report = late
    assert report.record is not None
    assert report.record.touched_dates == (WEEK_AGO, LATEST)
    assert world.execute("select response_date from `{table}` where agent_id = 'late'", "marts", FCT) == []


def test_reconciliation_reports_the_differences(reconciled: tuple[Marts, Reconciliation, list[str]]) -> None:
    _, found, lines = reconciled
    assert found.status == "repaired"
    assert [(item.mart, item.response_date, item.expected_count, item.found_count) for item in found.differences] == [
        ("fct_survey_responses", OLDER, 1, 1),
        ("fct_survey_responses", OLD, 2, 1),
        ("fct_survey_responses", WEEK_AGO, 1, 2),
        ("agg_agent_daily", WEEK_AGO, 2, None),
        ("agent_leaderboard", date(2026, 11, 5), 2, 5),
    ]
    assert "fct_survey_responses has 1 responses instead of 2 on 2026-08-11" in lines
    assert found.test_count >= len(TABLES)


def test_reconciliation_takes_the_first_of_old_messages(reconciled: tuple[Marts, Reconciliation, list[str]]) -> None:
    rows = reconciled[0].execute(
        "select csat_score, message_count from `{table}` where response_id = 'r0'", "marts", FCT
    )
    assert rows == [{"csat_score": 1, "message_count": 2}]


def test_second_reconciliation_finds_nothing(reconciled: tuple[Marts, Reconciliation, list[str]]) -> None:
    second = reconcile(reconciled[0].settings, on_progress=lambda line: None)
    assert (second.status, second.differences) == ("agreed", ())


def test_reconciled_marts_equal_a_full_refresh(reconciled: tuple[Marts, Reconciliation, list[str]]) -> None:
    world = reconciled[0]
    before = world.snapshot()
    world.build(full_refresh=True)
    assert world.snapshot() == before


def test_rebuild_of_dates_works_without_new_data(reconciled: tuple[Marts, Reconciliation, list[str]]) -> None:
    world = reconciled[0]
    before, last = world.snapshot(), marts.last_build(world.settings)
    world.execute("update `{table}` set csat_score = 2 where true", "marts", FCT)
    report = marts.rebuild(world.settings, dates=(LATEST, LATEST), on_progress=lambda line: None)
    scores = world.execute("select response_date, min(csat_score) as score from `{table}` group by 1", "marts", FCT)
    assert {row["response_date"]: row["score"] for row in scores} == {OLDER: 2, OLD: 2, WEEK_AGO: 2, LATEST: 5}
    assert (report.status, marts.last_build(world.settings)) == ("partial", last)
    marts.rebuild(world.settings, dates=(OLDER, LATEST), on_progress=lambda line: None)
    assert world.snapshot() == before
