"""Every step of docs/cloud.md says what it needs, does, prints and costs, and how to check and undo it."""

import re

import pytest

from csat.contract.settings import ROOT

GUIDE = (ROOT / "docs/cloud.md").read_text()
PATHS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL))
# By the path's title and the step's
STEPS = {
    (path, title): step
    for path, text in PATHS.items()
    for title, step in re.findall(r"^### (\d+\. .+?)\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
}
NUMBERS = {
    "BigQuery only, everything else on your machine": range(1, 5),
    "From an empty project to the dashboard": range(1, 10),
    "The compose stack on a machine of Google": range(5, 8),  # after steps of the path before
}
ROWS = ["needs", "prints", "check", "undo", "costs"]


def test_steps_of_each_path_are_numbered() -> None:
    found = {path: [int(title.partition(".")[0]) for of, title in STEPS if of == path] for path, _ in STEPS}
    assert found == {path: list(numbers) for path, numbers in NUMBERS.items()}


@pytest.mark.parametrize("step", STEPS.values(), ids=[" ".join(name) for name in STEPS])
def test_a_step_has_a_command_and_a_row_for_each_question(step: str) -> None:
    assert re.search(r"^```(sh|hcl)$", step, re.MULTILINE)
    names = re.findall(r"^\| (\w+) \| .+ \|$", step, re.MULTILINE)
    assert [name for name in names if name in ROWS] == ROWS


def test_what_is_installed_by_make_alone_is_called_by_make() -> None:
    commands = re.findall(r"^```sh\n(.*?)^```", "".join(PATHS.values()), re.MULTILINE | re.DOTALL)
    assert [line for block in commands for line in block.splitlines() if line.startswith("terraform ")] == []
