"""Who has the stream when drivers start: with a token, without one, twice, or while a stop is requested."""

from datetime import UTC, datetime

import pytest

from csat.control.driver_token import DriverToken, token_file
from csat.control.state_files import StateFiles
from csat.control.verdict import DesiredState, Heartbeat, State
from tests.integration.conftest import Driver, World, wait_for

pytestmark = pytest.mark.integration

TOKEN = ("--token", "t1")


@pytest.fixture
def state_files(world: World) -> StateFiles:
    """The world's state files, whose desired state names the driver with the token t1."""
    files = StateFiles(world.settings.state_files)
    files.write_desired_state(wanted())
    return files


def wanted(**changes: str) -> DesiredState:
    values = {"token": "t1", "desired": "run", "reason": "test", "at": datetime.now(UTC)}
    return DesiredState.model_validate(values | changes)


def heartbeat(state_files: StateFiles) -> Heartbeat:
    found = state_files.heartbeat()
    assert found is not None
    return found


@pytest.mark.parametrize("arguments", [TOKEN, ()], ids=["with one token", "without a token"])
def test_one_of_two_drivers_that_start_at_the_same_moment_continues(
    world: World, make_message, state_files: StateFiles, arguments: tuple[str, ...]
):
    world.send(*[make_message() for _ in range(20)])
    drivers = [world.start_driver(*arguments) for _ in range(2)]
    ended: Driver = wait_for(lambda: next((one for one in drivers if one.process.poll() is not None), None), 90, "exit")
    [left] = [one for one in drivers if one is not ended]
    assert ended.exit_code() == 75
    assert "Landed" not in ended.log.read_text()
    wait_for(lambda: world.offsets() == list(range(20)), 90, "rows", pause=1)
    world.send(*[make_message() for _ in range(5)])
    wait_for(lambda: world.offsets() == list(range(25)), 60, "rows sent later", pause=1)
    desired_state = state_files.desired_state()
    assert desired_state is not None
    assert (heartbeat(state_files).token, heartbeat(state_files).state) == (desired_state.token, State.RUNNING)
    assert (desired_state.token == "t1") is bool(arguments)
    state_files.write_desired_state(desired_state.model_copy(update={"desired": "stop"}))
    assert left.exit_code(60) == 0
    assert world.offsets() == list(range(25))


def test_driver_with_a_token_that_is_not_the_desired_one_exits_and_changes_nothing(
    world: World, make_message, state_files: StateFiles
):
    world.send(make_message())
    before = state_files.desired_state()
    assert world.start_driver("--token", "t0").exit_code(60) == 75
    assert (state_files.desired_state(), state_files.heartbeat(), world.offsets()) == (before, None, [])


def test_driver_of_supervisord_takes_the_token_that_was_left_for_it(
    world: World, make_message, state_files: StateFiles
):
    world.send(make_message())
    path = token_file(world.settings.state)
    path.parent.mkdir(parents=True, exist_ok=True)
    DriverToken("t1").write(path)
    assert world.start_driver("--managed", "--catch-up").exit_code() == 0
    assert (heartbeat(state_files).token, world.offsets()) == ("t1", [0])
    path.unlink()
    without = world.start_driver("--managed")
    assert without.exit_code(60) == 1
    assert without.log.read_text().splitlines()[-1].startswith(f"error: {path} holds no token, fix: ")


def test_stop_requested_during_start_up_ends_the_driver_before_its_first_batch(
    world: World, make_message, state_files: StateFiles
):
    world.send(make_message())
    driver = world.start_driver(*TOKEN)
    wait_for(state_files.heartbeat, 60, "first heartbeat", pause=0.05)
    state_files.write_desired_state(wanted(desired="stop"))
    assert driver.exit_code(60) == 0
    assert (heartbeat(state_files).state, world.offsets()) == (State.STOPPED, [])
    assert "The query has started" not in driver.log.read_text()
    stopped = state_files.desired_state()
    assert stopped is not None
    assert (stopped.token, stopped.desired) == ("t1", "stop")
