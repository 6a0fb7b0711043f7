"""A first date that moves changes which windows have a complete previous one, also long after it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from csat.marts import build as marts
from tests.integration.marts import recount
from tests.integration.marts.checks import assert_same
from tests.integration.marts.conftest import Marts, at, survey_response

pytestmark = pytest.mark.integration

DAYS = {number: date(2026, 9, 1) + timedelta(days=number) for number in (0, 10, 60, 61, 62)}
TABLES = ("agent_leaderboard", "category_ranking")


@pytest.fixture(scope="module")
def earlier(make_marts: Callable[[], Marts]) -> tuple[Marts, marts.BuildReport]:
    """After a late response of day 0; the marts began on day 10."""
    world = make_marts()
    world.land([survey_response(number, at(DAYS[number])) for number in (10, 60, 62)])
    world.build()
    assert previous_count(world, DAYS[60]) is None
    world.land([survey_response(0, at(DAYS[0]), ingested_at=datetime(2026, 11, 10, tzinfo=UTC))])
    return world, world.build()


@pytest.fixture(scope="module")
def later(earlier: tuple[Marts, marts.BuildReport]) -> tuple[Marts, marts.BuildReport]:
    """After a message that moves the response of day 0 to day 61: the marts begin on day 10 again."""
    world = earlier[0]
    assert previous_count(world, DAYS[60]) == 1
    moved: dict[str, Any] = {"response_id": "r0", "kafka_timestamp": at(DAYS[0])}
    world.land([survey_response(1, at(DAYS[61]), ingested_at=datetime(2026, 11, 11, tzinfo=UTC), **moved)])
    return world, world.build()


def previous_count(world: Marts, day: date) -> int | None:
    """The responses of the previous window of 28 days, of all categories."""
    where = f"ranking_date = '{day}' and window_id = '28d' and sub_category is null"
    statement = f"select sum(previous_response_count) as found from `{{table}}` where {where}"
    [row] = world.execute(statement, "marts", "category_ranking")
    count: int | None = row["found"]
    return count


def test_an_earlier_first_date_completes_windows(earlier: tuple[Marts, marts.BuildReport]) -> None:
    world, report = earlier
    assert report.record is not None
    assert report.record.touched_dates == (DAYS[0], DAYS[10], DAYS[62])
    for table in TABLES:
        assert_same(world, table, recount.MARTS[table](world.landed))


def test_a_later_first_date_leaves_windows_incomplete(later: tuple[Marts, marts.BuildReport]) -> None:
    world, report = later
    assert report.record is not None
    assert report.record.touched_dates == (DAYS[0], DAYS[10], DAYS[61], DAYS[62])
    for table in TABLES:
        assert_same(world, table, recount.MARTS[table](world.landed))
