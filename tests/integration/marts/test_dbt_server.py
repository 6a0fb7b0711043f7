"""The server that holds dbt ready, with something else in dbt's place: its calls, their ends, and their lock."""

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.emulator import dbt_ready
from csat.settings import Settings
from tests.integration.conftest import wait_for
from warehouse import dbt_server

pytestmark = pytest.mark.integration

# The first word is run instead of dbt, the exit code is what it says.
SERVER = """
import os, time
from csat.settings import get_settings
from warehouse import dbt_server
dbt_server._PRELOADED = ()
dbt_server._invoke = lambda words: eval(words[0])
dbt_server.serve(dbt_server.socket_file(get_settings()))
"""
LONGEST = "print('begun') or time.sleep(60) or 0"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """The socket of a running server."""
    settings = Settings(state_dir=tmp_path, _env_file=None)
    with dbt_ready(settings, ("-c", SERVER)):
        yield dbt_server.socket_file(settings)


def call(file: Path, word: str, **variables: str) -> tuple[int | None, list[str]]:
    lines: list[str] = []
    with (file.parent / "lock").open("w") as lock:
        return dbt_server.call(file, [word], variables, lines.append, lock.fileno()), lines


def test_call_passes_on_the_lines_and_the_exit_code(file: Path) -> None:
    assert call(file, "print('one') or os.system('echo two') or 3") == (3, ["one", "two"])


def test_call_has_its_variables_and_leaves_none_behind(file: Path) -> None:
    assert call(file, "print(os.environ['CSAT_AS_OF']) or 0", CSAT_AS_OF="2026-11-20") == (0, ["2026-11-20"])
    assert call(file, "print(os.environ.get('CSAT_AS_OF')) or 0") == (0, ["None"])


def test_call_runs_in_the_project_and_yields_to_the_stream(file: Path) -> None:
    assert call(file, "print(os.path.exists('dbt_project.yml'), os.nice(0)) or 0") == (0, ["True 10"])


def test_call_that_is_killed_has_a_code_of_its_own(file: Path) -> None:
    assert call(file, "os.kill(os.getpid(), 9)") == (-1, [])


def test_call_that_raises_is_not_taken_for_success(file: Path) -> None:
    code, lines = call(file, "1 / 0")
    assert code == 2
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_there_is_no_call_where_no_server_listens(tmp_path: Path) -> None:
    assert call(tmp_path / "dbt.sock", "0") == (None, [])


@contextmanager
def lost_call(file: Path) -> Iterator[Path]:
    """The lock of a call that has begun; its caller goes away at the end."""
    path = file.parent / "lock"
    with path.open("w") as lock, (file.parent / "output").open("w") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as caller:
            caller.connect(str(file))
            request = b'{"words": ["%s"], "variables": {}}' % LONGEST.encode()
            socket.send_fds(caller, [request], [output.fileno(), lock.fileno()])
            wait_for(lambda: (file.parent / "output").read_text() == "begun\n", 20, "begin of the call")
            lock.close()  # as when the caller is killed
            yield path


def is_free(path: Path) -> bool:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_call_keeps_its_lock_and_ends_with_its_caller(file: Path) -> None:
    with lost_call(file) as path:
        assert not is_free(path)
    wait_for(lambda: is_free(path), 10, "end of the call")


def test_server_answers_after_a_call_was_lost(file: Path) -> None:
    with lost_call(file):
        assert call(file, "0") == (0, [])
