"""The decision records have one form, and a number each."""

import re
from pathlib import Path

import pytest

from csat.contract.settings import ROOT

FOLDER = ROOT / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))


def test_numbers_are_used_once() -> None:
    numbers = [path.name[:3] for path in RECORDS]
    assert len(RECORDS) > 8
    assert sorted(set(numbers)) == numbers


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem[:3])
def test_a_record_has_a_question_a_choice_and_a_consequence(record: Path) -> None:
    text = record.read_text()
    assert re.fullmatch(r"\d{3}(-[a-z0-9]+)+", record.stem)
    assert re.match(rf"# {record.stem[:3]}: [A-Z]\S* .*[^.]\n\n", text), "# NNN: What was chosen"
    heads = re.findall(r"^\*\*(Question|Choice|Consequence)\b.*?\*\* ", text, re.MULTILINE)
    assert heads == ["Question", "Choice", "Consequence"]


def test_what_a_record_replaces_says_so_too() -> None:
    for record in RECORDS:
        for replaced in re.findall(r"[Rr]eplaces \[\d{3}\]\(([\w.-]+)\)", record.read_text()):
            assert f"Replaced by [{record.stem[:3]}]({record.name})" in (FOLDER / replaced).read_text()
