"""A response of next year that has landed is in no mart, and later builds go on."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from tests.integration.marts.conftest import Marts, at, survey_response

DAY = date(2026, 11, 10)
NEXT_DAY = DAY + timedelta(days=1)


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts]) -> Marts:
    """Marts of one response of today, and one of next year, from a producer whose clock was the record time."""
    made = make_marts()
    next_year = at(date(2027, 11, 10))
    ahead = survey_response(1, next_year, kafka_timestamp=next_year, ingested_at=at(DAY))
    made.land([survey_response(0, at(DAY)), ahead])
    return made


def test_response_of_next_year_is_in_no_mart_and_freezes_no_build(world: Marts) -> None:
    first = world.build().record
    assert first is not None
    assert (first.latest_response_date, first.response_count) == (DAY, 1)
    world.land([survey_response(2, at(NEXT_DAY), batch_id="b2")])
    second = world.build().record
    assert second is not None
    assert (second.touched_dates, second.latest_response_date) == ((DAY, NEXT_DAY), NEXT_DAY)
    incremental = world.snapshot()
    world.build(full_refresh=True)
    assert world.snapshot() == incremental


@pytest.mark.long
def test_build_after_a_record_of_next_year_is_a_full_refresh(world: Marts) -> None:
    """As an earlier release made it, of the same rows."""
    changes = "latest_response_date = '2027-11-10'"
    world.execute(f"update `{{table}}` set {changes} where true", "ops", "mart_builds")
    world.land([survey_response(3, at(NEXT_DAY, 13), batch_id="b3")])
    record = world.build().record
    assert record is not None
    assert (record.is_full_refresh, record.latest_response_date, record.response_count) == (True, NEXT_DAY, 3)
    world.land([survey_response(4, at(NEXT_DAY, 14), batch_id="b4")])
    record = world.build().record
    assert record is not None
    assert (record.is_full_refresh, record.touched_dates) == (False, (NEXT_DAY,))
