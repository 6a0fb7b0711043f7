"""SupervisordBackend against a real supervisord with a driver that only writes heartbeats."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from csat.airflow.backends.base import BackendError
from csat.airflow.backends.choose import backend
from csat.airflow.backends.supervisord import SupervisordBackend
from csat.contract.settings import ROOT, Settings
from csat.control.driver_token import DriverToken, start_lock, token_file
from csat.control.state_files import StateFiles
from csat.control.verdict import DesiredState

PASSWORD = "url-safe_0"
CONFIGURATION = """
[supervisord]
nodaemon=true
directory={folder}
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
[inet_http_server]
port=127.0.0.1:{port}
username=csat
password={password}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[program:stream]
command={python} {driver} {folder}
autostart=false
autorestart=false
startsecs=0
startretries=0
stopasgroup=true
killasgroup=true
stopwaitsecs=2
stdout_logfile={folder}/stream.log
redirect_stderr=true
"""


def wait_until(is_true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "the deadline has passed"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_reachable(stream: SupervisordBackend) -> bool:
    try:
        return stream.state() is not None
    except BackendError:
        return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("supervisord")


@pytest.fixture(scope="module")
def supervisord(folder: Path) -> Iterator[SupervisordBackend]:
    port, driver = free_port(), Path(__file__).with_name("fake_driver.py")
    text = CONFIGURATION.format(folder=folder, port=port, password=PASSWORD, python=sys.executable, driver=driver)
    (folder / "supervisord.conf").write_text(text)
    (folder / "password").write_text(f"{PASSWORD}\n")
    command = [str(ROOT / ".venv" / "bin" / "supervisord"), "-c", str(folder / "supervisord.conf")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        stream = SupervisordBackend(f"http://127.0.0.1:{port}/RPC2", folder / "password", token_file(folder))
        try:
            wait_until(lambda: is_reachable(stream))
            yield stream
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def stream(supervisord: SupervisordBackend, folder: Path) -> Iterator[SupervisordBackend]:
    """The backend with desired state "run" and no heartbeat yet; leaves no process behind."""
    (folder / "heartbeat.json").unlink(missing_ok=True)
    token_file(folder).unlink(missing_ok=True)
    write_desired_state(folder, "a")
    yield supervisord
    supervisord.stop(10)


def write_desired_state(folder: Path, token: str) -> None:
    desired_state = DesiredState(token=token, desired="run", reason="test", at=datetime.now(UTC))
    StateFiles(str(folder)).write_desired_state(desired_state)


def process_id(stream: SupervisordBackend) -> str:
    found = re.search(r"pid (\d+)", stream.state().detail)
    return found[1] if found else ""


def has_heartbeat(folder: Path, token: str) -> bool:
    heartbeat = StateFiles(str(folder)).heartbeat()
    return heartbeat is not None and heartbeat.token == token


@pytest.mark.timeout(60)
def test_state_knows_a_program_that_never_ran(stream: SupervisordBackend) -> None:
    process = stream.state()
    assert (process.is_alive, process.exit_code) == (False, None)


@pytest.mark.timeout(60)
def test_start_returns_a_running_driver_with_a_heartbeat(stream: SupervisordBackend, folder: Path) -> None:
    stream.start("a")
    assert stream.state().is_alive
    wait_until(lambda: has_heartbeat(folder, "a"))
    assert stream.log_tail(1)[0].endswith("of a")


@pytest.mark.timeout(60)
def test_start_first_stops_the_process_of_another_token(stream: SupervisordBackend, folder: Path) -> None:
    stream.start("a")
    first = process_id(stream)
    write_desired_state(folder, "b")
    stream.start("b")
    assert (stream.state().is_alive, stream.state().token) == (True, "b")
    assert process_id(stream) not in ("", first)


@pytest.mark.timeout(60)
def test_start_leaves_the_process_of_its_own_token_alone(stream: SupervisordBackend) -> None:
    stream.start("a")
    first = process_id(stream)
    stream.start("a")
    assert process_id(stream) == first


@pytest.mark.timeout(60)
def test_a_process_that_has_ended_is_not_started_again_under_its_token(stream: SupervisordBackend) -> None:
    stream.start("a")
    stream.stop(30)
    stream.start("a")
    assert (stream.state().is_alive, stream.state().token) == (False, "a")


@pytest.mark.timeout(60)
def test_start_does_nothing_while_another_triggerer_starts_the_process(
    stream: SupervisordBackend, folder: Path
) -> None:
    with start_lock(token_file(folder)) as is_held:
        stream.start("a")
        assert (is_held, stream.state().is_alive) == (True, False)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("has_process", [True, False])
def test_start_completes_that_of_a_triggerer_that_ended(
    stream: SupervisordBackend, folder: Path, *, has_process: bool
) -> None:
    DriverToken("a").write(token_file(folder))
    if has_process:
        stream._call("startProcess", "stream", False)
    first = process_id(stream)
    stream.start("a")
    assert (stream.state().is_alive, stream.state().token) == (True, "a")
    assert process_id(stream) == first or not first
    assert DriverToken.read(token_file(folder)).is_started


@pytest.mark.timeout(60)
def test_an_earlier_process_has_no_token_once_a_start_was_begun(stream: SupervisordBackend, folder: Path) -> None:
    stream.start("a")
    stream.stop(30)
    DriverToken("b").write(token_file(folder))
    assert stream.state().token == ""


def test_a_token_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    token_file(tmp_path).mkdir(parents=True)
    with pytest.raises(BackendError, match="driver_token cannot be accessed"):
        SupervisordBackend("http://127.0.0.1:1/RPC2", tmp_path / "none", token_file(tmp_path)).state()


@pytest.mark.timeout(60)
def test_state_has_the_exit_code_of_a_driver_that_was_superseded(stream: SupervisordBackend, folder: Path) -> None:
    stream.start("a")
    wait_until(lambda: has_heartbeat(folder, "a"))
    write_desired_state(folder, "b")
    wait_until(lambda: not stream.state().is_alive)
    assert stream.state().exit_code == 75


@pytest.mark.timeout(60)
def test_stop_ends_the_process_and_may_be_called_twice(stream: SupervisordBackend) -> None:
    stream.start("a")
    stream.stop(30)
    stream.stop(30)
    assert not stream.state().is_alive


@pytest.mark.timeout(60)
def test_a_wrong_password_is_named_with_its_file_and_not_shown(stream: SupervisordBackend, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wrong-secret")
    other = SupervisordBackend(stream._url, tmp_path / "password", token_file(tmp_path))
    with pytest.raises(BackendError, match="401") as raised:
        other.state()
    assert str(tmp_path / "password") in str(raised.value)
    assert "wrong-secret" not in f"{raised.value}{raised.value.__cause__!r}"


def test_no_supervisord_is_an_error_that_names_the_fix(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    with pytest.raises(BackendError, match="csat up"):
        SupervisordBackend(f"http://127.0.0.1:{free_port()}/RPC2", tmp_path / "password", token_file(tmp_path)).state()


def test_no_password_file_is_an_error_that_names_the_fix(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="none is missing; csat up"):
        SupervisordBackend("http://127.0.0.1:1/RPC2", tmp_path / "none", token_file(tmp_path)).state()


@pytest.mark.timeout(30)
def test_a_supervisord_that_does_not_respond_is_an_error_in_time(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/RPC2"
        with pytest.raises(BackendError, match="timed out"):
            SupervisordBackend(url, tmp_path / "password", token_file(tmp_path), timeout_seconds=0.2).state()


def test_backend_is_supervisord_on_one_machine(tmp_path: Path) -> None:
    assert isinstance(backend(Settings(_env_file=None, state_dir=tmp_path)), SupervisordBackend)
