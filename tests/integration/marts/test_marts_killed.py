"""A build that is killed after any of its models, then a complete one: the marts equal a full refresh."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.integration.marts.checks import kill_build
from tests.integration.marts.conftest import TABLES, Marts, at, survey_response

pytestmark = [pytest.mark.integration, pytest.mark.long]

FIRST_DAY = date(2026, 10, 1)
FIRST_BATCH_AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts]) -> Marts:
    """Marts of two responses a day over forty days."""
    made = make_marts()
    days = [FIRST_DAY + timedelta(days=number // 2) for number in range(80)]
    made.land([survey_response(number, at(day), ingested_at=FIRST_BATCH_AT) for number, day in enumerate(days)])
    made.build()
    return made


@pytest.mark.parametrize("number", range(len(TABLES)), ids=TABLES)
def test_build_after_a_killed_one_equals_a_full_refresh(world: Marts, number: int) -> None:
    batch = {"ingested_at": FIRST_BATCH_AT + timedelta(hours=number + 1), "batch_id": f"late{number}"}
    days = [FIRST_DAY + timedelta(days=number * 4), FIRST_DAY + timedelta(days=40 + number)]
    world.land([survey_response(100 + 2 * number + place, at(day), **batch) for place, day in enumerate(days)])
    kill_build(world, after=TABLES[number])
    world.build()
    before = world.snapshot()
    world.build(full_refresh=True)
    assert world.snapshot() == before
