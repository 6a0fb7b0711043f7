"""Files that are derived from code: written where they differ, and reported by --check."""

from pathlib import Path

import pytest

from tools import generate
from tools.generate import check, decisions_index, write

GENERATORS: dict[str, generate.Generator] = {
    "made.txt": lambda _: "one\ntwo\n",
    "filled.md": lambda page: page.read_text().replace("old", "new"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree where every generated file is up to date."""
    (tmp_path / "made.txt").write_text("one\ntwo\n")
    (tmp_path / "filled.md").write_text("by hand, new")
    return tmp_path


def test_check_of_files_that_are_up_to_date_is_silent(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(root, GENERATORS) == 0
    assert capsys.readouterr().out == ""


def test_check_names_the_file_and_the_fix_and_changes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "made.txt").write_text("one\nthree\n")
    assert check(root, GENERATORS) == 1
    report = capsys.readouterr().out.splitlines()
    assert report[0] == "made.txt is out of date, fix: make generated"
    assert report[-2:] == ["-three", "+two"]
    assert (root / "made.txt").read_text() == "one\nthree\n"


def test_check_reports_a_missing_file(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "made.txt").unlink()
    assert check(root, GENERATORS) == 1
    assert "made.txt is out of date" in capsys.readouterr().out


def test_write_changes_only_what_is_out_of_date(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "filled.md").write_text("by hand, old")
    write(root, GENERATORS)
    assert (root / "filled.md").read_text() == "by hand, new"
    assert capsys.readouterr().out == "wrote filled.md\n"
    assert check(root, GENERATORS) == 0


def test_index_has_a_row_for_each_record_in_order(tmp_path: Path) -> None:
    (tmp_path / "010-later.md").write_text("# 010: A later choice: a colon\n\ntext\n")
    (tmp_path / "002-first.md").write_text("# 002: The first\n")
    (tmp_path / "README.md").write_text("How to.\n\n| number | decision |\n| --- | --- |\n| [001](001-x.md) | Gone |\n")
    assert decisions_index(tmp_path / "README.md") == (
        "How to.\n\n| number | decision |\n| --- | --- |\n"
        "| [002](002-first.md) | The first |\n"
        "| [010](010-later.md) | A later choice: a colon |\n"
    )


def test_an_index_without_its_table_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("How to.\n")
    with pytest.raises(ValueError, match=r"has no line .\| number \| decision \|."):
        decisions_index(tmp_path / "README.md")


@pytest.mark.parametrize(("arguments", "calls"), [([], ["write"]), (["--check"], ["check"])])
def test_command_writes_unless_it_shall_only_check(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], calls: list[str]
) -> None:
    called: list[str] = []

    def fake_check(*_: object) -> int:
        called.append("check")
        return 1

    monkeypatch.setattr("sys.argv", ["generate", *arguments])
    monkeypatch.setattr(generate, "write", lambda *_: called.append("write"))
    monkeypatch.setattr(generate, "check", fake_check)
    assert (generate.main(), called) == (len(arguments), calls)
