"""Every step of docs/cloud.md says what it needs, does, prints and costs, and how to check and undo it."""

import re

import pytest

from csat.contract.settings import ROOT

GUIDE = (ROOT / "docs/cloud.md").read_text()
STEPS = dict(re.findall(r"^### (\d+\. .+?)\n(.*?)(?=^##)", GUIDE, re.MULTILINE | re.DOTALL))
ROWS = ["needs", "prints", "check", "undo", "costs"]


def test_steps_are_numbered_from_one() -> None:
    assert [int(title.partition(".")[0]) for title in STEPS] == list(range(1, 10))


@pytest.mark.parametrize("title", STEPS)
def test_a_step_has_a_command_and_a_row_for_each_question(title: str) -> None:
    text = STEPS[title]
    assert re.search(r"^```(sh|hcl)$|`csat [a-z-]+`", text, re.MULTILINE)
    rows = re.findall(r"^\| (\w+) \| (.+) \|$", text, re.MULTILINE)
    assert [name for name, _ in rows if name in ROWS] == ROWS


def test_what_the_account_of_the_producer_runs_reads_no_table() -> None:
    step = next(text for title, text in STEPS.items() if title.startswith("7."))
    assert "`csat check completeness`" not in step
