"""Records that Kafka deleted before they landed, and the decision to go on without them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from csat.bigquery.tables import create_ops_tables
from csat.contract.errors import CsatError
from csat.monitoring.completeness import check_completeness
from csat.monitoring.decisions import accept_loss, find_expired, find_shown, keep_shown
from tests.integration.conftest import World
from tests.integration.stream.conftest import Land
from tests.integration.stream.topics import expire, failure, follow_runbook

pytestmark = pytest.mark.integration


@pytest.fixture
def world(world: World) -> World:
    create_ops_tables(world.warehouse)
    return world


@pytest.mark.parametrize("has_checkpoint", [True, False])
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
