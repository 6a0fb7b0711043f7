"""The lease of a build, on the emulator: who gets it, how it passes on, and what a build that lost it cannot do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest

from csat.contract.polling import poll
from csat.marts.builds import BuildRecord
from csat.marts.lease import Lease, LeaseLostError
from csat.marts.publish import publish
from tests.integration.marts.checks import expire_lease
from tests.integration.marts.conftest import Marts

pytestmark = pytest.mark.integration

_NOW = datetime(2026, 11, 20, tzinfo=UTC)
_RECORD = BuildRecord("b1", "succeeded", True, _NOW, _NOW, 1.0, None, _NOW, (), date(2026, 11, 19), 1, 1, 1, 1)


@pytest.fixture(scope="module")
def world(make_marts: Callable[[], Marts]) -> Marts:
    """Empty tables."""
    return make_marts()


def test_of_builds_that_start_at_the_same_moment_one_gets_the_first_lease(world: Marts) -> None:
    world.execute("delete from `{table}` where true", "ops", "build_lease")
    leases = [Lease(world.warehouse) for _ in range(6)]
    with ThreadPoolExecutor(len(leases)) as machines:
        claimed = list(machines.map(lambda lease: lease.claim("machine", ""), leases))
    assert claimed.count(True) == 1
    winner = leases[claimed.index(True)]
    winner.keep()
    with winner.held():
        assert not leases[claimed.index(False)].claim("machine", "")
    assert leases[claimed.index(False)].claim("machine", winner.token)


def test_a_lease_that_nobody_renews_passes_to_another_build_and_cannot_be_kept(world: Marts) -> None:
    expire_lease(world)
    killed, other = Lease(world.warehouse, seconds=1), Lease(world.warehouse)
    assert killed.claim("a machine", "")
    assert poll(lambda: other.claim("another machine", ""), 20, 0.2)
    with pytest.raises(LeaseLostError, match="Another build of the marts took the lease"):
        killed.keep()
    with other.held():
        pass
    with pytest.raises(LeaseLostError):  # also where the other build has ended
        killed.keep()


def test_a_lease_that_is_held_is_renewed_until_its_end(world: Marts) -> None:
    expire_lease(world)
    lease, other = Lease(world.warehouse, seconds=5), Lease(world.warehouse)
    assert lease.claim("a machine", "")
    ends: set[datetime] = set()

    def end_has_moved() -> bool:
        [row] = world.execute("select max(expires_at) as ends from `{table}`", "ops", "build_lease")
        ends.add(row["ends"])
        return len(ends) > 1

    with lease.held():
        assert poll(end_has_moved, 20, 0.5)
    assert other.claim("another machine", "")


def test_a_held_lease_that_is_lost_ends_the_build_at_its_next_line(world: Marts) -> None:
    expire_lease(world)
    lease, other = Lease(world.warehouse, seconds=1), Lease(world.warehouse)
    assert lease.claim("a machine", "")
    lease.check()
    assert other.claim("another machine", lease.token)
    with lease.held(), pytest.raises(LeaseLostError):
        poll(lease.check, 20, 0.1)


def test_a_build_that_loses_its_lease_just_before_the_transaction_publishes_nothing(
    world: Marts, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire_lease(world)
    lease, other = Lease(world.warehouse), Lease(world.warehouse)
    assert lease.claim("a machine", "")
    assert other.claim("another machine", lease.token)
    monkeypatch.setattr(lease, "keep", lambda: None)
    with pytest.raises(LeaseLostError):
        publish(world.warehouse, [], _RECORD, lease)
    assert world.execute("select build_id from `{table}`", "ops", "mart_builds") == []
    publish(world.warehouse, [], _RECORD, other)
    assert world.execute("select build_id from `{table}`", "ops", "mart_builds") == [{"build_id": "b1"}]
