"""The README leads to everything that is there."""

import re
from pathlib import Path

from csat.contract.settings import ROOT
from tests.documents import documents, tracked_files

TEXT = (ROOT / "README.md").read_text()


def test_sections_stand_in_the_order_of_a_first_visit() -> None:
    heads = ["Run it", "What you should see", "Where things are"]
    assert re.findall(r"^## (.+)$", TEXT, re.MULTILINE)[:3] == heads


def test_every_folder_is_in_the_table() -> None:
    without_words = {"docs", "locks"}  # documents have a table of their own
    folders = {path.parts[0] for path in tracked_files() if len(path.parts) > 1 and not path.parts[0].startswith(".")}
    parts = {f"csat/{path.parts[1]}" for path in tracked_files() if len(path.parts) > 2 and path.parts[0] == "csat"}
    named = {
        name for row in re.findall(r"^\| (`.*?/`) \|", TEXT, re.MULTILINE) for name in re.findall(r"`([\w/]+)/`", row)
    }
    assert (folders - without_words - {"csat"}) | parts == named
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
