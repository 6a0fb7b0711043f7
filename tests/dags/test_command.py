"""CsatCommandOperator with a command that is a few lines of shell."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowException

from csat.airflow.command import CsatCommandOperator, last_json
from csat.contract.settings import ROOT

Make = Callable[..., CsatCommandOperator]


@pytest.fixture
def make_operator(tmp_path: Path) -> Make:
    """Makes an operator whose `csat` is the given shell text."""

    def make(text: str, command: tuple[str, ...] = ("marts", "build", "--json")) -> CsatCommandOperator:
        program = tmp_path / "csat"
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        return CsatCommandOperator(task_id="run", command=command, program=str(program))

    return make


def test_the_result_is_the_json_on_standard_output(make_operator: Make) -> None:
    assert make_operator("""echo '{"rows": 3}'; echo 'noise' >&2""").execute({}) == {"rows": 3}


def test_both_outputs_are_logged_line_by_line(make_operator: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make_operator("""echo '{"rows": 3}'; echo 'to stderr' >&2""").execute({})
    lines = logged(capsys)
    assert {"to stderr", '{"rows": 3}'} <= set(lines)


def test_the_log_begins_with_the_command_and_ends_with_one_sentence(
    make_operator: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    make_operator("echo a", ("rejected", "count", "--reason", "no case")).execute({})
    assert logged(capsys)[1:] == [  # after Airflow's own, about a test
        "$ csat rejected count --reason 'no case'",
        "a",
        "csat rejected count --reason 'no case' succeeded after 0 s.",
    ]


def logged(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.split("] ", 1)[-1].split(" [")[0].strip() for line in capsys.readouterr().out.splitlines()]


def test_there_is_no_result_without_the_json_argument(make_operator: Make) -> None:
    assert make_operator("""echo '{"rows": 3}'""", ("marts", "build")).execute({}) is None


def test_the_arguments_reach_the_command_as_they_are(make_operator: Make) -> None:
    assert make_operator("""printf '["%s"]' "$2" """, ("a", "b c; $HOME", "--json")).execute({}) == ["b c; $HOME"]


def test_the_command_does_not_inherit_the_tasks_connection_to_airflow(make_operator: Make) -> None:
    own, (line, other_end) = os.dup(0), os.pipe()
    os.dup2(line, 0)
    try:
        assert make_operator("""printf '["%s"]' "$(readlink /proc/$$/fd/0)" """).execute({}) == ["/dev/null"]
    finally:
        os.dup2(own, 0)
        for end in (own, line, other_end):
            os.close(end)


def test_a_nonzero_exit_code_fails_the_task(make_operator: Make) -> None:
    with pytest.raises(AirflowException, match="csat marts build --json exited with 3"):
        make_operator("exit 3").execute({})


def test_missing_json_output_fails_the_task(make_operator: Make) -> None:
    with pytest.raises(AirflowException, match="printed no JSON"):
        make_operator("echo done").execute({})


@pytest.mark.parametrize(
    "lines", [['{"rows": 3}\n'], ["{\n", '"rows": 3\n', "}\n"], ["Running\n", '{"rows": 3}\n', "done\n"]]
)
def test_last_json_is_the_whole_text_or_its_last_json_line(lines: list[str]) -> None:
    assert last_json(lines) == {"rows": 3}


@pytest.mark.timeout(30)
def test_kill_ends_the_command_and_its_children(make_operator: Make, tmp_path: Path) -> None:
    operator = make_operator(f"sleep 60 & echo $! > {tmp_path}/child; wait")

    def kill() -> None:
        wait_for(tmp_path / "child")
        operator.on_kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(AirflowException, match="exited with -15"):
        operator.execute({})
    killer.join()
    assert not is_running(int((tmp_path / "child").read_text()))


@pytest.mark.timeout(30)
def test_kill_before_the_command_runs_ends_it_too(make_operator: Make, tmp_path: Path) -> None:
    operator = make_operator("sleep 60")
    operator.on_kill()
    with pytest.raises(AirflowException, match="exited with -15"):
        operator.execute({})


@pytest.mark.timeout(30)
def test_an_error_during_the_command_ends_it(
    make_operator: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = make_operator(f"echo $$ > {tmp_path}/child; echo line; exec sleep 60")

    def fail(stream: object) -> list[str]:
        wait_for(tmp_path / "child")
        raise TimeoutError  # as Airflow raises it in the main thread

    monkeypatch.setattr(operator, "_follow", fail)
    with pytest.raises(TimeoutError):
        operator.execute({})
    assert not is_running(int((tmp_path / "child").read_text()))


def test_the_program_is_that_of_the_pipelines_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def popen(arguments: list[str], **_: object) -> None:
        seen.extend(arguments)
        raise FileNotFoundError

    monkeypatch.setattr("csat.airflow.command.subprocess.Popen", popen)
    with pytest.raises(FileNotFoundError):
        CsatCommandOperator(task_id="run", command=["status"]).execute({})
    assert seen == [f"{ROOT}/.venv/bin/csat", "status"]


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        if Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] == "Z":
            return False
        time.sleep(0.02)
    return True
