"""The stream's clock was ahead for one batch: the marts go on, and equal those of a full refresh."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from csat.bigquery.tables import ops_table
from csat.marts.builds import BuildRecord
from csat.marts.freshness import source_freshness
from csat.marts.reconcile import reconcile
from csat.monitoring.recent_landing import mart_facts
from tests.integration.marts.conftest import Marts, survey_response

HOUR = timedelta(hours=1)
AHEAD = 5 * 24 * HOUR


@pytest.fixture(scope="module")
def start() -> datetime:
    """The time of the first response: a few hours ago."""
    return datetime.now(UTC).replace(microsecond=0) - 9 * HOUR


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts], start: datetime) -> Marts:
    """Marts of a response, built, and of another one that the stream read when its clock was ahead."""
    made = make_marts()
    made.land([survey_response(0, start)])
    made.build()
    made.land([survey_response(1, start + HOUR, ingested_at=start + AHEAD, batch_id="b2")])
    return made


def built(made: Marts) -> BuildRecord:
    record = made.build().record
    assert record is not None
    return record


def test_rows_that_land_after_the_step_are_built(world: Marts, start: datetime) -> None:
    assert (built(world).response_count, built_up_to(world)) == (2, start + timedelta(minutes=1))
    copy = survey_response(1, start + HOUR, kafka_offset=9, kafka_timestamp=start + 3 * HOUR, batch_id="b3")
    world.land([survey_response(2, start + 2 * HOUR, batch_id="b3"), copy | {"ingested_at": start + 3 * HOUR}])
    assert (built(world).response_count, built_up_to(world)) == (3, start + 3 * HOUR)
    incremental = world.snapshot()
    assert reconcile(world.settings).status == "agreed"
    world.build(full_refresh=True)
    assert world.snapshot() == incremental


def built_up_to(world: Marts) -> datetime:
    """The watermark of the last build; nothing is newer, and a build has nothing to do."""
    report = world.build()
    assert report.status == "nothing new"
    assert report.watermark is not None
    return report.watermark


def test_the_age_of_the_newest_row_is_not_of_a_row_of_the_future(world: Marts, start: datetime) -> None:
    newest = source_freshness(world.warehouse)
    assert (newest.status, newest.newest_ingested_at) == ("error", start + 3 * HOUR)


def test_a_watermark_of_the_future_that_is_there_repairs_itself(world: Marts, start: datetime) -> None:
    """As an earlier release left it: rows that landed since then were in no build."""
    world.land([survey_response(3, start + 4 * HOUR, batch_id="b4")])
    names = ", ".join(field.name for field in ops_table(world.settings, "mart_builds").schema)
    ahead = names.replace("watermark_to", "timestamp_add(watermark_to, interval 120 hour)")
    ahead = ahead.replace("accepted_count", "accepted_count + 1")
    latest = "order by watermark_to desc, built_at desc limit 1"
    world.execute(f"insert into `{{table}}` ({names}) select {ahead} from `{{table}}` {latest}", "ops", "mart_builds")

    waiting = mart_facts(world.warehouse, datetime.now(UTC)).waiting_since
    assert waiting == start + 4 * HOUR + timedelta(minutes=1)
    record = built(world)
    assert (record.is_full_refresh, record.response_count) == (False, 4)
    rows = world.execute(
        "select status, watermark_to > current_timestamp() as is_ahead from `{table}`", "ops", "mart_builds"
    )
    assert {row["status"] for row in rows if row["is_ahead"]} == {"partial"}
    incremental = world.snapshot()
    world.build(full_refresh=True)
    assert world.snapshot() == incremental
