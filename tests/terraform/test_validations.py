"""Every `validation` block refuses a value of variables.tftest.hcl that no other block refuses."""

import json
import re
import shutil

import pytest

from tests.terraform.conftest import MODULE, Terraform
from tests.terraform.test_module import blocks

CHECKED_BY = "\n\nThis was checked by the validation rule at "
EXPECTED = re.compile(r"^  expect_failures = .+\n", re.MULTILINE)


@pytest.fixture(scope="module")
def refusals(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The messages of the blocks that refuse each run's values, with the variables alone and nothing expected.

    Each run is in a file of its own: after a failed one Terraform skips the rest of its file.
    """
    folder = tmp_path_factory.mktemp("variables")
    shutil.copy(MODULE / "variables.tf", folder)
    (folder / "tests").mkdir()
    text = (MODULE / "tests/variables.tftest.hcl").read_text()
    [given] = re.findall(r"^variables {\n.*?^}\n", text, re.MULTILINE | re.DOTALL)
    runs = {name: body for name, body in blocks(text, "run").items() if EXPECTED.search(body)}
    for name, body in runs.items():
        file = folder / f"tests/{name}.tftest.hcl"
        file.write_text(f'{given}\nrun "{name}" {{\n{EXPECTED.sub("", body)}}}\n')
    done = terraform("test", "-json", folder=folder)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    refusals: dict[str, list[str]] = {name: [] for name in runs}
    for line in lines:
        if line["type"] == "diagnostic":
            assert "@testrun" in line, line["diagnostic"]  # else of the variables themselves
            refusals[line["@testrun"]].append(line["diagnostic"]["detail"].partition(CHECKED_BY)[0])
    return refusals


def test_every_run_that_expects_a_failure_is_refused(refusals: dict[str, list[str]]) -> None:
    assert len(refusals) > 70
    assert [run for run, messages in refusals.items() if not messages] == []


def test_every_validation_refuses_a_value_that_no_other_refuses(refusals: dict[str, list[str]]) -> None:
    variables = (MODULE / "variables.tf").read_text()
    found = re.findall(r'^    error_message = "(.+)"$', variables, re.MULTILINE)
    messages = [text.replace('\\"', '"') for text in found]
    assert len(set(messages)) == variables.count("  validation {\n") > 40
    alone = {refused[0] for refused in refusals.values() if len(refused) == 1}
    assert [message for message in messages if message not in alone] == []
