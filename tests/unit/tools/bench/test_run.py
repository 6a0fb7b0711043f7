"""One command runs every benchmark by its name, or lists them."""

import subprocess
import sys

import pytest

from csat.contract.settings import ROOT
from tools.bench.run import BENCHMARKS, command, main

FOLDER = ROOT / "tools" / "bench"


def test_every_program_of_the_folder_is_a_benchmark() -> None:
    programs = {path.stem for path in FOLDER.glob("*.py") if 'parser.add_argument("--results"' in path.read_text()}
    assert programs == set(BENCHMARKS)


def test_a_benchmark_runs_as_a_module_and_writes_a_file_of_its_name() -> None:
    assert command("marts", ["--hours", "1"]) == [
        *(sys.executable, "-m", "tools.bench.marts", "--hours", "1"),
        *("--results", str(FOLDER / "results" / "marts.json")),
    ]


def test_without_a_name_the_benchmarks_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["run"])
    assert main() == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert listed == list(BENCHMARKS)


def test_options_and_the_exit_code_are_the_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []

    def fake(words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        called.append(words)
        return subprocess.CompletedProcess(words, 3)

    monkeypatch.setattr("tools.bench.run.subprocess.run", fake)
    monkeypatch.setattr("sys.argv", ["run", "stream", "--events", "5"])
    assert main() == 3
    assert called == [command("stream", ["--events", "5"])]


def test_an_unknown_name_is_rejected(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["run", "nonsense"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "invalid choice: 'nonsense'" in capsys.readouterr().err
