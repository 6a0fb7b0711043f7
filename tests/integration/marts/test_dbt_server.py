"""The dbt server, with a fake dbt: its requests, how they end, and their lock."""

import fcntl
import json
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from csat.contract.settings import Settings, environment
from csat.marts import dbt_process
from tests.integration.conftest import wait_for
from tools.bench.emulator import dbt_ready

pytestmark = pytest.mark.integration

# The first argument is evaluated instead of running dbt, and its value is the exit code.
SERVER = """
import os, sys, time
from csat.contract.settings import get_settings
from csat.marts import dbt_server
sys.path.append(str(get_settings().state))
dbt_server._PRELOADED = ("deployed",)
dbt_server._MAX_BYTES = int(os.environ.get("MAX_BYTES", 10**9))
dbt_server._dbt = lambda arguments: eval(arguments[0])
dbt_server.serve(dbt_server.socket_file(get_settings()))
"""
LONGEST = "print('started') or time.sleep(60) or 0"
Server = tuple[Path, "subprocess.Popen[bytes]"]


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """The socket and the process of a server that has loaded its own module."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "deployed.py").write_text("version = 1\n")
    settings = Settings(state_dir=folder, _env_file=None)
    with dbt_ready(settings, ("-c", SERVER)) as process:
        yield dbt_process.socket_file(settings), process


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a server for tests that do not stop it."""
    with running(tmp_path_factory.mktemp("server")) as (file, _):
        yield file


def call(file: Path, argument: str, **variables: str) -> tuple[int | None, list[str]]:
    lines: list[str] = []
    with (file.parent / "lock").open("w") as lock:
        request = {"arguments": [argument], "environment": environment(**variables)}
        return dbt_process.call_server(file, request, lines.append, lock.fileno()), lines


def test_only_the_owner_may_connect(shared: Path) -> None:
    assert stat.S_IMODE(shared.stat().st_mode) == 0o600


def test_call_passes_on_the_lines_and_the_exit_code(shared: Path) -> None:
    assert call(shared, "print('one') or os.system('echo two') or 3") == (3, ["one", "two"])


def test_call_has_its_callers_environment_and_does_not_keep_it(shared: Path) -> None:
    assert call(shared, "print(os.environ['CSAT_AS_OF']) or 0", CSAT_AS_OF="2026-11-20") == (0, ["2026-11-20"])
    assert call(shared, "print(os.environ.get('CSAT_AS_OF')) or 0") == (0, ["None"])


def test_call_leaves_no_semaphore(shared: Path) -> None:
    lock = "__import__('multiprocessing').get_context('spawn').RLock()"  # as dbt's adapter has
    assert call(shared, f"globals().update(lock={lock}) or 0") == (0, [])


def test_call_runs_in_the_project_with_a_lower_priority(shared: Path) -> None:
    assert call(shared, "print(os.path.exists('dbt_project.yml'), os.nice(0)) or 0") == (0, ["True 10"])


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "1 / 0"])
def test_call_that_dies_has_no_exit_code(shared: Path, end: str) -> None:
    code, lines = call(shared, end)
    assert code is None
    assert lines[-1] == "The dbt server did not complete this run: starting a new dbt process."


def test_hanging_call_is_abandoned(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbt_process, "_FIRST_LINE_SECONDS", 0.5)
    code, lines = call(shared, "time.sleep(60)")
    assert (code, lines[0]) == (None, "The dbt server does not respond.")


def test_no_call_without_a_server(tmp_path: Path) -> None:
    assert call(tmp_path / "dbt.sock", "0") == (None, [])


def test_dbt_runs_in_a_new_process_where_a_call_dies(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "dbt"
    program.write_text(f"#!{sys.executable}\nprint('alone')\n")
    program.chmod(0o755)
    monkeypatch.setattr("csat.marts.dbt_process.sys.executable", str(tmp_path / "python"))
    monkeypatch.setattr(dbt_process, "socket_file", lambda settings: shared)
    lines: list[str] = []
    with (tmp_path / "lock").open("w") as lock:
        code = dbt_process.run(Settings(_env_file=None), ["os.kill(os.getpid(), 9)"], {}, lines.append, lock.fileno())
    assert (code, lines[-1]) == (0, "alone")


@contextmanager
def lost_call(file: Path) -> Iterator[Path]:
    """The lock of a running call; its caller disconnects at the end."""
    path = file.parent / "lock"
    with path.open("w") as lock, (file.parent / "output").open("w") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with dbt_process.connect(file) as caller:
            socket.send_fds(caller, [b"!"], [output.fileno(), lock.fileno()])
            caller.sendall(json.dumps({"arguments": [LONGEST], "environment": environment()}).encode() + b"\n")
            wait_for(lambda: (file.parent / "output").read_text() == "started\n", 20, "start of the call")
            lock.close()  # as when the caller is killed
            yield path


def is_free(path: Path) -> bool:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_call_holds_its_lock_and_ends_with_its_caller(shared: Path) -> None:
    with lost_call(shared) as path:
        assert not is_free(path)
    wait_for(lambda: is_free(path), 10, "end of the call")


def test_server_responds_while_and_after_a_caller_disconnects(shared: Path) -> None:
    with lost_call(shared):
        assert call(shared, "0") == (0, [])
    assert call(shared, "0") == (0, [])


def test_server_responds_after_a_caller_without_a_request(shared: Path) -> None:
    dbt_process.connect(shared).close()
    assert call(shared, "0") == (0, [])


def test_server_exits_when_a_loaded_file_has_changed(tmp_path: Path) -> None:
    with running(tmp_path) as (file, process):
        assert call(file, "0") == (0, [])
        (tmp_path / "deployed.py").write_text("version = 1.1\n")
        assert call(file, "0")[0] is None
        assert process.wait(10) == 0
    assert "deployed.py has changed" in (tmp_path / "logs" / "dbt.log").read_text()


def test_server_exits_when_its_memory_has_grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_BYTES", "1000")
    with running(tmp_path) as (file, process):
        assert call(file, "0")[0] is None
        assert process.wait(10) == 0


def test_server_listens_in_a_folder_with_a_long_name(tmp_path: Path) -> None:
    with running(tmp_path / ("state" * 30)) as (file, _):
        assert call(file, "0") == (0, [])
