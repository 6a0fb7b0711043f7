"""A health check run against a real broker and a real emulator, and what is deleted there."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from csat.bigquery.load_job_times import load_job_times
from csat.bigquery.tables import create_ops_tables
from csat.control.open_alerts import AlertState
from csat.control.state_files import StateFiles
from csat.control.verdict import DesiredState, Heartbeat, State
from csat.kafka.lag import KafkaFacts, Period, waiting
from csat.kafka.topic_id import describe_topic
from csat.local.emulator_housekeeping import delete_emulator_jobs, delete_scratch_tables
from csat.monitoring import collect
from csat.monitoring.checks import CHECKS
from csat.monitoring.facts import LandingFacts, MartFacts
from csat.monitoring.health_check import run_health_check
from tests.integration.conftest import World
from tests.integration.stream import topics

pytestmark = pytest.mark.integration


@pytest.fixture
def land(world: World) -> Callable[..., None]:
    """Puts rows of these Kafka offsets of partition 0 into the landing table, landed so many minutes ago.

    The topic has six records.
    """
    create_ops_tables(world.warehouse)
    world.send(*[b"x"] * 6)
    topic_id = describe_topic(world.settings).topic_id
    table = world.settings.table("raw", "survey_responses")

    def put(*offsets: int, minutes: float = 1, answered: datetime | None = None, reason: str | None = None) -> None:
        now = datetime.now(UTC)
        row = {
            "kafka_topic": world.settings.kafka_topic,
            "kafka_topic_id": topic_id,
            "kafka_partition": 0,
            "ingested_at": (now - timedelta(minutes=minutes)).isoformat(),
            "survey_answered_at": None if reason else (answered or now).isoformat(),
            "rejection_reason": reason,
        }
        config = bigquery.LoadJobConfig(schema=world.warehouse.client.get_table(table).schema)
        rows = [{**row, "kafka_offset": offset} for offset in offsets]
        world.warehouse.client.load_table_from_json(rows, table, job_config=config).result(timeout=60)

    return put


def landing(world: World, examined_at: datetime | None = None) -> Any:
    return collect.collect(world.settings, AlertState(examined_at=examined_at), datetime.now(UTC))


def test_rows_of_the_last_hour_are_counted_with_their_holes_and_doubles(world: World, land) -> None:
    land(0, 1, 2)
    land(3, reason="not UTF-8")
    land(5, 5)
    facts = landing(world).facts.landing
    assert isinstance(facts, LandingFacts)
    assert replace(facts, newest_at=None) == LandingFacts(None, records=6, rejected=1, lost=1, duplicated=1)
    assert facts.newest_at is not None
    assert timedelta(seconds=50) < datetime.now(UTC) - facts.newest_at < timedelta(seconds=180)


def test_a_row_with_an_old_date_is_found_in_the_newest_partitions(world: World, land) -> None:
    land(0, 2)
    land(1, answered=datetime.now(UTC) - timedelta(days=9))
    found = landing(world)
    assert (found.facts.landing.lost, found.examined_at) == (0, None)


def test_a_gap_is_examined_once_an_hour(world: World, land) -> None:
    land(0, 2)
    found = landing(world)
    assert (found.facts.landing.lost, found.examined_at) == (1, found.facts.now)
    assert landing(world, examined_at=found.facts.now).facts.landing.lost is None


def test_a_row_of_the_future_is_not_the_newest(world: World, land) -> None:
    land(0, 1, minutes=30)
    land(2, minutes=-600)
    newest = landing(world).facts.landing.newest_at
    assert timedelta(minutes=29) < datetime.now(UTC) - newest < timedelta(minutes=32)


@pytest.mark.parametrize("minutes", [-600, 1500, -525_600])
def test_rows_of_a_clock_that_was_wrong_are_not_missing(world: World, land, minutes: int) -> None:
    land(0, 1, minutes=30)
    land(2, 3, minutes=minutes)
    land(5)
    found = landing(world)
    assert (found.facts.landing.lost, found.facts.landing.duplicated) == (1, 0)
    land(4)
    assert landing(world).facts.landing.lost == 0


def test_a_row_waits_for_the_marts_since_it_landed(world: World, land) -> None:
    assert landing(world).facts.marts == MartFacts(None, None)
    land(0, minutes=20)
    land(1, minutes=3)
    waiting_since = landing(world).facts.marts.waiting_since
    assert timedelta(minutes=19) < datetime.now(UTC) - waiting_since < timedelta(minutes=22)


def test_messages_wait_in_kafka_from_the_committed_offsets(world: World) -> None:
    world.send(b"1", b"2", b"3")
    world.send(b"4", partition=1)
    now = datetime.now(UTC)
    ago, later = now - timedelta(minutes=2), now + timedelta(minutes=2)
    assert waiting(world.settings, {}, Period(ago, now)) == KafkaFacts(backlog=4, overdue=0)
    assert waiting(world.settings, {0: 2, 1: 1}, Period(later, later)) == KafkaFacts(backlog=1, overdue=1)


@pytest.mark.parametrize(
    ("committed", "is_overdue"), [(1, 6), (5, 2), (7, 0), (0, 7), (10, 0)], ids=["old", "two", "new", "ahead", "none"]
)
def test_a_record_of_the_future_hides_no_overdue_message(world: World, committed: int, is_overdue: int) -> None:
    """Kafka finds it first, whatever the time: here at offset 0, before six old ones and three new ones."""
    topics.delete(world)
    topics.create(world, **{"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": str(2**63 - 1)})
    now = datetime.now(UTC)

    def put(count: int, *, minutes: float) -> None:
        moment = now + timedelta(minutes=minutes)
        world.send(*[b"x"] * count, timestamp_ms=int(moment.timestamp() * 1000))

    put(1, minutes=999_999)
    put(6, minutes=-5)
    put(3, minutes=0)
    found = waiting(world.settings, {0: committed}, Period(now - timedelta(minutes=2), now))
    assert found == KafkaFacts(backlog=10 - committed, overdue=is_overdue)


def test_load_jobs_are_counted_by_table_and_those_of_the_stream_are_kept(world: World) -> None:
    table = world.settings.table("raw", "survey_responses")
    config = bigquery.LoadJobConfig(schema=world.warehouse.client.get_table(table).schema)
    since = datetime.now(UTC) - timedelta(minutes=1)
    before = load_job_times(world.warehouse, since)
    elsewhere = world.settings.table("scratch", "of_another_environment")
    world.warehouse.client.load_table_from_json(
        [{"one": 1}], elsewhere, job_id=f"csat-{world.settings.dataset_prefix}-2-a1", location="US"
    ).result(timeout=60)
    name = f"csat-{world.settings.dataset_prefix}-1-a1"
    world.warehouse.client.load_table_from_json(
        [{"kafka_offset": 1}], table, job_id=name, location="US", job_config=config
    ).result(timeout=60)
    query = world.warehouse.client.query("select 1 as one")
    query.result(timeout=60)
    *others, newest = load_job_times(world.warehouse, since)
    assert others == before
    assert since < newest <= datetime.now(UTC)

    later = datetime.now(UTC) + timedelta(hours=1)
    assert delete_emulator_jobs(world.settings, hours=1, limit=10_000, now=later)["deleted"] >= 1
    left = {job.job_id for job in world.warehouse.client.list_jobs(all_users=True)}
    assert name in left
    assert query.job_id not in left
    assert delete_emulator_jobs(world.settings, hours=1, limit=10_000, now=later)["deleted"] <= 2


def test_scratch_tables_are_deleted_once_they_are_too_old(world: World) -> None:
    name = world.settings.table("scratch", "left_behind")
    world.warehouse.rows(f"create table `{name}` as select 1 as one")
    now = datetime.now(UTC)
    assert delete_scratch_tables(world.settings, hours=1, now=now) == {"deleted": 0, "kept": 1}
    assert delete_scratch_tables(world.settings, hours=1, now=now + timedelta(hours=2)) == {"deleted": 1, "kept": 0}
    assert delete_scratch_tables(world.settings, hours=1, now=now) == {"deleted": 0, "kept": 0}


def ops_rows(world: World, table: str, columns: str, order: str) -> list[dict[str, Any]]:
    return world.warehouse.rows(f"select {columns} from `{world.settings.table('ops', table)}` order by {order}")


def test_a_real_health_check_writes_its_rows_and_an_alert_opens_and_is_resolved(
    world: World, land, tmp_path: Path
) -> None:
    state_files, now = StateFiles(world.settings.state_files), datetime.now(UTC)
    well = Heartbeat(token="t", driver_id="d", state=State.RUNNING, at=now, started_at=now, progress_at=now, batch_id=1)
    state_files.write_desired_state(DesiredState(token="t", desired="run", reason="", at=now))
    state_files.write_heartbeat(well.model_copy(update={"at": now - timedelta(minutes=9)}))
    land(0, 1, 2)
    world.send(b"1", b"2", b"3")
    checkpoint(Path(world.settings.checkpoint), {world.settings.kafka_topic: {"0": 3, "1": 0}})

    bad = {result.check: result.alert for result in run_health_check(world.settings).results if result.alert}
    assert bad == {
        "stream_heartbeat": "stream_down",
        "stream_verdict": "stream_down",
        "run_stream_dag": "airflow_unreachable",
        "airflow_components": "airflow_unreachable",
    }
    state_files.write_heartbeat(well.model_copy(update={"at": datetime.now(UTC)}))
    second = run_health_check(world.settings)
    assert [alert.key for alert in second.open_alerts] == ["airflow_unreachable"]

    checks = ops_rows(world, "pipeline_health_checks", "check_id, check, grade, alert", "checked_at, check")
    assert len(checks) == 2 * len(CHECKS)
    assert len({row["check_id"] for row in checks}) == 2
    assert [row["grade"] for row in checks if row["check"] == "stream_heartbeat"] == ["critical", "ok"]
    alerts = ops_rows(world, "alerts", "alert_key, severity, status", "notified_at, alert_key")
    assert [tuple(row.values()) for row in alerts] == [
        ("airflow_unreachable", "critical", "opened"),
        ("stream_down", "critical", "opened"),
        ("stream_down", "critical", "recovered"),
    ]


def checkpoint(folder: Path, offsets: dict[str, dict[str, int]]) -> None:
    """A checkpoint whose only batch is committed."""
    for name, text in (("offsets", f"v1\n{{}}\n{json.dumps(offsets)}\n"), ("commits", "v1\n{}")):
        (folder / name).mkdir(parents=True)
        (folder / name / "0").write_text(text)
