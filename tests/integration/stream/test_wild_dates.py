"""Dates of any kind in one batch: each message is a row of one load job, in one partition or two around midnight."""

from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import bigquery

from csat.bigquery import tables
from csat.bigquery.landing_migration import migrate
from csat.contract import landing
from csat.control.state_files import StateFiles
from tests.integration.conftest import World
from tests.integration.stream.conftest import Land

pytestmark = pytest.mark.integration


def load_jobs(world: World, since: datetime) -> list[bigquery.LoadJob]:
    jobs = world.warehouse.client.list_jobs(min_creation_time=since, timeout=60)
    table = world.settings.dataset("raw")
    return [
        job for job in jobs if job.job_id.startswith(landing.LOAD_JOB_PREFIX) and job.destination.dataset_id == table
    ]


def test_batch_of_4001_days_is_one_load_job_into_the_partitions_of_its_ingestion(
    world: World, land: Land, make_message
) -> None:
    began = datetime.now(UTC)
    wild = ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
    days = [(began - timedelta(days=back)).isoformat() for back in range(4_001)]
    world.send(*[make_message(survey_answered_at=day) for day in [*wild, *days]])
    assert land(world) == 0
    assert len(load_jobs(world, began)) == 1
    rows = world.rows("kafka_partition, kafka_offset, date(ingested_at) as day, rejection_reason")
    assert [row["kafka_offset"] for row in rows] == list(range(4_005))
    assert len({row["day"] for row in rows}) <= 2
    reasons = [row["rejection_reason"] for row in rows]
    assert reasons[:4] == [*["answered too long ago"] * 3, "answered in the future"]
    assert reasons[4:] == [None] * 3_650 + ["answered too long ago"] * 351


def test_driver_that_meets_the_partitions_of_an_earlier_release_names_the_command(
    world: World, land: Land, make_message
) -> None:
    world.warehouse.client.delete_table(world.settings.table("raw", landing.TABLE))
    table = tables.landing_table(world.settings)
    table.time_partitioning = bigquery.TimePartitioning(field="survey_answered_at")
    world.warehouse.client.create_table(table)
    world.send(make_message())
    assert land(world) == 1
    heartbeat = StateFiles(world.settings.state_files).heartbeat()
    assert heartbeat is not None
    assert (heartbeat.alert, "`csat migrate-landing`" in heartbeat.error) == ("landing_table_outdated", True)
    assert world.offsets() == []

    migrate(world.warehouse, lambda line: None, datetime.now(UTC))
    assert land(world) == 0
    assert world.offsets() == [0]
