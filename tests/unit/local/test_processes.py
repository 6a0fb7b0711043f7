import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from csat.contract.settings import environment
from csat.local import processes

WAIT = "import sys, time; print('up', flush=True); time.sleep(60)"
WAIT_DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAIT


def started(state: Path, code: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(**{processes.MARK: str(state)}),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    return child


def test_of_stack_finds_the_processes_of_its_own_state_folder_only(tmp_path: Path) -> None:
    with started(tmp_path / "a", WAIT) as ours, started(tmp_path / "b", WAIT) as other:
        try:
            assert [process.pid for process in processes.of_stack(tmp_path / "a")] == [ours.pid]
        finally:
            ours.kill()
            other.kill()


class OfAnotherUser:
    """A process whose environment only a root with all its rights may read."""

    def status(self) -> str:
        return str(psutil.STATUS_RUNNING)

    def environ(self) -> dict[str, str]:
        raise psutil.AccessDenied

    def cmdline(self) -> list[str]:
        return ["postgres", "-c", "csat.stack=/state"]


@pytest.mark.parametrize(("uid", "is_found"), [(0, True), (1000, False)])
def test_root_knows_a_process_by_its_command_line_where_a_container_hides_the_environment(
    monkeypatch: pytest.MonkeyPatch, uid: int, is_found: bool
) -> None:
    monkeypatch.setattr("csat.local.processes.os.geteuid", lambda: uid)
    process: Any = OfAnotherUser()
    assert processes.is_of_stack(process, Path("/state")) == is_found
    assert not processes.is_of_stack(process, Path("/other"))


def test_end_all_kills_a_process_that_does_not_listen(tmp_path: Path) -> None:
    with started(tmp_path, WAIT_DEAF) as child:
        assert processes.end_all(tmp_path, grace_seconds=0.2) == 1
        assert not psutil.pid_exists(child.pid)
