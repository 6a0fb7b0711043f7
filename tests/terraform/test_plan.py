"""A plan of every optional part has exactly the resources of `every_switch_plan.txt`, where and for whom it says."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.conftest import MODULE, Terraform
from tests.terraform.test_guide import clean_clone, make

TABLE = Path(__file__).with_name("every_switch_plan.txt")
SWITCHES = MODULE / "tests/every_switch.tfvars"
PLACES = ("location", "region")
WHO = ("member", "user_by_email", "service_account", "principal")
WHAT = ("role", "operation")


def found(value: Any, names: tuple[str, ...]) -> Iterator[str]:
    """The texts under these names, at any depth."""
    if isinstance(value, Mapping):
        yield from (text for name in names if isinstance(text := value.get(name), str))
        value = list(value.values())
    for inner in value if isinstance(value, list) else []:
        yield from found(inner, names)


def line(change: Mapping[str, Any]) -> str:
    """Address, location, and who may do what, of a planned resource."""
    after = change["change"]["after"]
    columns = [sorted(set(found(after, names))) for names in (PLACES, WHO, WHAT)]
    text = " | ".join([change["address"], *(", ".join(column) or "-" for column in columns)])
    return text.replace("serviceAccount:", "").replace("@shop-data-1.iam.gserviceaccount.com", "@")


@pytest.fixture(scope="module")
def plan(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The plan of `make cloud-plan-offline`, in a clean clone."""
    clone = clean_clone(tmp_path_factory.mktemp("clone"))
    done = make(clone, "-o", ".venvs/terraform/.synced", "cloud-plan-offline", f"OUT={clone}/plan")
    assert done.returncode == 0, done.stderr
    assert "0 to change, 0 to destroy." in done.stdout
    shown = terraform("show", "-json", f"{clone}/plan", folder=clone / "terraform")
    planned: dict[str, Any] = json.loads(shown.stdout)
    return planned


def test_plan_of_every_switch_is_the_expected_table(plan: dict[str, Any]) -> None:
    planned = [line(change) for change in plan["resource_changes"] if change["mode"] == "managed"]
    expected = [text for text in TABLE.read_text().splitlines() if text and not text.startswith("#")]
    assert sorted(planned) == sorted(expected)


def test_plan_has_a_resource_of_every_block_of_the_module(plan: dict[str, Any]) -> None:
    blocks = {
        ".".join(block)
        for file in MODULE.glob("*.tf")
        for block in re.findall(r'^resource "(\w+)" "(\w+)"', file.read_text(), re.MULTILINE)
    }
    addresses = {
        change["address"].partition("[")[0] for change in plan["resource_changes"] if change["mode"] == "managed"
    }
    assert addresses == blocks


def test_every_switch_is_on() -> None:
    variables = (MODULE / "variables.tf").read_text()
    switches = re.findall(r'^variable "(enable_\w+)"', variables, re.MULTILINE)
    assert len(switches) == 4
    on = dict(re.findall(r"^(\w+) += (.+)$", SWITCHES.read_text(), re.MULTILINE))
    assert [name for name in switches if on.get(name) != "true"] == []
