"""Terminals of every kind: narrow ones, none, another encoding, Ctrl-C at any time. Each test starts real processes."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from csat.contract.settings import ROOT, environment
from tests.unit.cli.conftest import CSAT, Csat

NAME = "Wilhelmina Featherstonehaugh"
PRINT = f"""
from csat.cli.output import report
from csat.cli.render import rows_table, text_table
rows = [{{"agent": "{NAME}", "topic_id": "{"x" * 90}", "rows": 123456789}}]
heads = ("rank", "agent", "responses", "CSAT", "interval", "adjusted", "tier")
line = ("1", "{NAME}", "12,345", "97.8 %", "93.7 to 99.2 %", "95.4 %", "1")
report(rows, False, rows_table("rows", rows), text_table("agents", heads, [line], names=("agent",)))
"""


def on_terminal(columns: int) -> str:
    """What the program prints to a terminal of this width."""
    ours, its = pty.openpty()
    variables = environment(COLUMNS=str(columns), TERM="xterm", PYTHONPATH=str(ROOT))
    with subprocess.Popen([sys.executable, "-c", PRINT], stdout=its, env=variables) as process:
        os.close(its)
        parts = []
        try:
            while part := os.read(ours, 65_536):
                parts.append(part)
        except OSError:  # the other end is closed
            pass
        process.wait(60)
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;]*m", "", b"".join(parts).decode())


@pytest.mark.parametrize("columns", [20, 60, 300])
def test_a_table_on_a_terminal_is_folded_and_never_cut(columns: int) -> None:
    shown = on_terminal(columns)
    assert "…" not in shown
    assert shown.count("x") == 90 + shown.count("max")
    assert (shown.count("Wilhelmina"), shown.count("tier")) == (2, 1)
    for word in ("Featherstonehaugh"[:16], "123456789", "12,345", "93.7 to 99.2 %", "adjusted"):
        assert word in shown


def test_a_table_in_a_pipe_has_no_width(csat: Csat) -> None:
    command = [sys.executable, "-c", PRINT]
    shown = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=True).stdout
    assert f"│ {NAME} │ {'x' * 90} │ 123456789 │" in shown


@pytest.mark.parametrize("changes", [{"PYTHONIOENCODING": "latin-1"}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}])
def test_another_encoding_is_no_error(csat: Csat, changes: dict[str, str]) -> None:
    for command in (("status",), ("marts", "show", "agents", "-h")):
        done = csat(*command, encoding="latin-1", **changes)
        assert "Traceback" not in done.stderr
        assert "Error" not in done.stderr
        assert done.stdout != ""


@pytest.mark.parametrize("module", ["csat.cli.encoding", "csat.cli.app", "typer", "pydantic", "csat.local.logs"])
def test_ctrl_c_while_the_program_starts_ends_it_without_a_traceback(variables: dict[str, str], module: str) -> None:
    # The program interrupts itself when it begins to import this module
    program = (
        "import os, signal, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}: os.kill(os.getpid(), signal.SIGINT)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background shell ignores it
        "sys.meta_path.insert(0, Interrupt())\n"
        "from csat.cli.main import main\n"
        "sys.argv = ['csat', 'logs', '-f']\n"
        "main()\n"
    )
    state = Path(variables["CSAT_STATE_DIR"])
    (state / "logs").mkdir(parents=True)
    (state / "logs" / "kafka.log").write_text("a line\n")
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (130, "")


def test_the_entry_point_imports_only_what_python_has_loaded() -> None:
    imported = re.findall(r"^(?:import|from) .*$", (ROOT / "csat" / "cli" / "main.py").read_text(), re.MULTILINE)
    assert imported == ["import sys"]


def test_ctrl_c_ends_a_followed_log_with_130(variables: dict[str, str], tmp_path: Path) -> None:
    logs = Path(variables["CSAT_STATE_DIR"]) / "logs"
    logs.mkdir(parents=True)
    (logs / "kafka.log").write_text("a line\n")
    with subprocess.Popen(
        [CSAT, "logs", "-f"],
        env=variables,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # what the shell starts with & ignores it
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "kafka | a line\n"
        with (logs / "kafka.log").open("a") as log:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:  # until it follows
                log.write("one more\n")
                log.flush()
                if _has_output(process):
                    break
        assert process.stdout.readline() == "kafka | one more\n"
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, errors) == (130, "")


def _has_output(process: "subprocess.Popen[str]") -> bool:
    import select

    return bool(select.select([process.stdout], [], [], 0.2)[0])
