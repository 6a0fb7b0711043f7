"""Records that Kafka deleted before they landed, and the decision to go on without them."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from csat.bigquery.positions import accept
from csat.bigquery.tables import create_ops_tables
from csat.contract.errors import CsatError
from csat.kafka.offsets import kafka_offsets
from csat.monitoring.completeness import check_completeness
from csat.monitoring.decisions import accept_loss, find_expired, find_shown, keep_shown
from tests.integration.conftest import World, wait_for
from tests.integration.stream.conftest import Land
from tests.integration.stream.topics import admin_of, create, delete, expire, failure, follow_runbook, places

pytestmark = pytest.mark.integration

CRASHING = (str(Path(__file__).with_name("crashing_driver.py")),)


@pytest.fixture
def world(world: World) -> World:
    create_ops_tables(world.warehouse)
    return world


@pytest.mark.parametrize("has_checkpoint", [True, pytest.param(False, marks=pytest.mark.long)])
def test_records_that_expired_stop_the_stream_until_their_loss_is_accepted(
    world: World, land: Land, make_message, has_checkpoint: bool
):
    world.send(*[make_message() for _ in range(5)])
    assert land(world) == 0
    world.send(*[make_message() for _ in range(10)])
    expire(world, 9)
    if not has_checkpoint:
        Path(world.settings.checkpoint).rename(world.settings.checkpoint + "-lost")
    assert land(world) == 1
    alert, error = failure(world)
    assert (alert, "partition 0: 5 to 8" in error, "csat stream accept-loss" in error) == (
        "records_expired",
        True,
        True,
    )
    assert check_completeness(world.warehouse).lost == 4
    assert "5 to 8" in follow_runbook(world, "records_expired")
    assert land(world) == 0
    assert world.offsets() == [*range(5), *range(9, 15)]
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)


def test_only_the_loss_that_was_shown_is_accepted(world: World, land: Land, make_message):
    settings, warehouse = world.settings, world.warehouse
    world.send(*[make_message() for _ in range(5)])
    assert land(world) == 0
    world.send(*[make_message() for _ in range(10)])
    expire(world, 9)
    now = datetime.now(UTC)
    keep_shown(settings, find_expired(settings, warehouse, now), "run-1")
    expire(world, 12)  # while the person decides
    shown = find_shown(settings, find_expired(settings, warehouse, now), "run-1")
    assert [(gap.kafka_partition, gap.first_offset, gap.end_offset) for gap in shown] == [(0, 5, 9)]
    accept_loss(settings, warehouse, shown, "a test", now)
    assert land(world) == 1
    alert, error = failure(world)
    assert (alert, "deleted 3 records" in error, "partition 0: 9 to 11" in error) == ("records_expired", True, True)
    rest = find_expired(settings, warehouse, now)
    with pytest.raises(CsatError, match=r"what was shown \(partition 0: 5 to 8 \(4\)\) no longer waits"):
        find_shown(settings, rest, "run-1")
    with pytest.raises(CsatError, match="no loss was shown as run-2"):
        find_shown(settings, rest, "run-2")
    accept_loss(settings, warehouse, rest, "a test", now)
    assert land(world) == 0
    assert world.offsets() == [*range(5), *range(12, 15)]
    found = check_completeness(warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)


def test_a_loss_in_another_partition_than_the_shown_is_shown_again(world: World, land: Land, make_message):
    settings, warehouse, now = world.settings, world.warehouse, datetime.now(UTC)
    world.send(*[make_message() for _ in range(5)])
    assert land(world) == 0
    world.send(*[make_message() for _ in range(10)])
    world.send(*[make_message() for _ in range(5)], partition=1)  # none of it has landed
    expire(world, 9)
    keep_shown(settings, find_expired(settings, warehouse, now), "run-1")
    expire(world, 3, partition=1)
    with pytest.raises(CsatError, match=r"partitions \[1\] expired, too, fix: show it again"):
        find_shown(settings, find_expired(settings, warehouse, now), "run-1")


def test_an_acceptance_that_was_interrupted_is_repeated(world: World, land: Land, make_message):
    settings, warehouse, now = world.settings, world.warehouse, datetime.now(UTC)
    world.send(*[make_message() for _ in range(5)], partition=1)
    assert land(world) == 0
    world.send(*[make_message() for _ in range(5)], partition=1)
    expire(world, 8, partition=1)
    accept(warehouse, find_expired(settings, warehouse, now), "killed after this", now)
    assert land(world) == 1
    accept_loss(settings, warehouse, find_expired(settings, warehouse, now), "again", now)
    assert land(world) == 0
    found = check_completeness(warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)


def test_records_of_an_added_partition_that_expire_before_their_first_read_need_a_decision(
    world: World, land: Land, make_message
):
    world.send(make_message())
    assert land(world) == 0
    with admin_of(world) as admin:
        admin.create_partitions({world.settings.kafka_topic: 3})
    wait_for(lambda: len(kafka_offsets(world.settings, [world.settings.kafka_topic])) == 3, 30, "third partition")
    world.send(*[make_message() for _ in range(5)], partition=2)
    expire(world, 2, partition=2)
    accept_what_expired(world, land, "partition 2: 0 to 1")
    assert places(world)[1:] == [(places(world)[0][0], 2, offset) for offset in (2, 3, 4)]


def test_records_of_a_first_batch_that_never_landed_need_a_decision(world: World, land: Land, make_message):
    world.send(*[make_message() for _ in range(5)])
    assert world.start_driver("before_submit", "--catch-up", program=CRASHING).exit_code() == -signal.SIGKILL
    expire(world, 3)
    accept_what_expired(world, land, "partition 0: 0 to 2")
    assert world.offsets() == [3, 4]


def accept_what_expired(world: World, land: Land, places: str) -> None:
    """The stream stops and names these; a person accepts their loss; the stream continues."""
    assert land(world) == 1
    alert, error = failure(world)
    assert (alert, places in error) == ("records_expired", True), error
    now = datetime.now(UTC)
    gaps = find_expired(world.settings, world.warehouse, now)
    accept_loss(world.settings, world.warehouse, gaps, "a test", now)
    assert land(world) == 0


def test_records_that_landed_before_they_expired_are_no_loss(world: World, land: Land, make_message):
    world.send(*[make_message() for _ in range(5)])
    assert land(world) == 0
    world.send(*[make_message() for _ in range(4)])
    assert world.start_driver("after_load", "--catch-up", program=CRASHING).exit_code() == -signal.SIGKILL
    assert world.offsets() == list(range(9))
    world.send(make_message(), make_message())
    expire(world, 9)
    assert land(world) == 0
    assert world.offsets() == list(range(11))
    with pytest.raises(CsatError, match="there is nothing to accept"):
        find_expired(world.settings, world.warehouse, datetime.now(UTC))


def test_records_of_another_partition_that_expire_after_an_acceptance_need_one_too(
    world: World, land: Land, make_message
):
    world.send(*[make_message() for _ in range(5)])
    assert land(world) == 0
    world.send(*[make_message() for _ in range(10)])
    world.send(*[make_message() for _ in range(3)], partition=1)
    expire(world, 9)
    follow_runbook(world, "records_expired")
    expire(world, 2, partition=1)  # nothing of it has ever landed
    assert land(world) == 1
    alert, error = failure(world)
    assert (alert, "deleted 2 records" in error, "partition 1: 0 to 1" in error) == ("records_expired", True, True)
    follow_runbook(world, "records_expired")
    assert land(world) == 0
    assert check_completeness(world.warehouse).pending == 0


@pytest.mark.long
def test_a_record_time_in_nanoseconds_is_deleted_and_accepted_as_a_loss(world: World, land: Land, make_message):
    delete(world)
    create(world, **{"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": str(2**63 - 1)})
    world.send(*[make_message() for _ in range(3)])
    assert land(world) == 0
    world.send(make_message(), timestamp_ms=time.time_ns())
    world.send(make_message())
    assert land(world) == 1
    assert failure(world)[0] == "topic_misconfigured"
    record = f"{world.settings.kafka_topic}:0:4"  # up to the named offset
    follow_runbook(world, "topic_misconfigured", 1, {"messages:PARTITION:OFFSET": record})
    assert land(world) == 1
    assert "3 to 3" in follow_runbook(world, "records_expired")
    assert land(world) == 0
    assert world.offsets() == [0, 1, 2, 4]
    found = check_completeness(world.warehouse)
    assert (found.lost, found.duplicated, found.pending) == (0, 0, 0)
