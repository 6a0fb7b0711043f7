"""The README leads to everything that exists."""

import re
from pathlib import Path

from csat.contract.settings import ROOT
from tests.documents import documents, tracked_files

TEXT = (ROOT / "README.md").read_text()


def test_sections_stand_in_the_order_of_a_first_visit() -> None:
    heads = ["Run it", "What you should see", "Documents"]
    assert re.findall(r"^## (.+)$", TEXT, re.MULTILINE)[:3] == heads


def test_the_map_of_the_folders_is_on_the_first_screen() -> None:
    first_screen = TEXT.partition("\n## ")[0]
    assert "| folder | what it holds |" in first_screen
    assert "](docs/pictures/" in first_screen
    assert len(first_screen.splitlines()) <= 45
    assert TEXT.count("| folder |") == 1


def test_every_folder_is_in_the_table() -> None:
    folders = {path.parts[0] for path in tracked_files() if len(path.parts) > 1 and not path.parts[0].startswith(".")}
    parts = {f"csat/{path.parts[1]}" for path in tracked_files() if len(path.parts) > 2 and path.parts[0] == "csat"}
    named = {
        name for row in re.findall(r"^\| (`.*?/`) \|", TEXT, re.MULTILINE) for name in re.findall(r"`([\w/]+)/`", row)
    }
    assert (folders - {"csat"}) | parts == named
    assert len(folders) <= 12


def test_every_document_is_in_the_table() -> None:
    linked = {Path(target) for target in re.findall(r"^\| \[.+?\]\((.+?)\) \|", TEXT, re.MULTILINE)}
    records = Path("docs/decisions")
    assert {path for path in documents() if path.parent != records} - {Path("README.md")} == linked - {
        records / "README.md"
    }


def test_every_dag_is_in_the_table() -> None:
    table = TEXT.partition("## What Airflow runs")[2].partition("\n## ")[0]
    named = {name for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert named == {path.stem for path in (ROOT / "dags").glob("*.py")}
