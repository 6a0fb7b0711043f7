import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import ROOT, environment

MODULE = ROOT / "terraform"
CLOUD_GUIDE = (ROOT / "docs/cloud.md").read_text()
OFFLINE = [str(ROOT / ".venvs/terraform/bin/python"), str(MODULE / "tests/stub_provider.py")]
Terraform = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class ModuleTest:
    """What `terraform test` did: the status of every run, and the plan or the state of each by the run's name."""

    statuses: dict[tuple[str, str], str]
    messages: list[str]
    plans: dict[str, dict[str, Any]]
    states: dict[str, dict[str, Any]]

    def planned(self, run: str, resource_type: str) -> dict[str, dict[str, Any]]:
        """The planned arguments of every resource of a type, by address."""
        changes = self.plans[run]["resource_changes"]
        return {item["address"]: item["change"]["after"] for item in changes if item["type"] == resource_type}

    def waits_for(self, run: str, resource_type: str) -> list[list[str]]:
        """What each resource of a type was made after, in a run that applied."""
        resources = self.states[run]["root_module"]["resources"]
        return [resource.get("depends_on", []) for resource in resources if resource["type"] == resource_type]

    def made(self, run: str, address: str) -> dict[str, Any]:
        """The arguments of a resource, in a run that applied."""
        resources = self.states[run]["root_module"]["resources"]
        values: dict[str, Any] = next(one["values"] for one in resources if one["address"] == address)
        return values

    def output(self, run: str, name: str) -> Any:
        """The planned value of an output."""
        return self.plans[run]["output_changes"][name]["after"]


@pytest.fixture(scope="session")
def terraform() -> Terraform:
    """Runs terraform with the stub provider, in the module unless another folder is given."""

    def run(
        *arguments: str, folder: Path = MODULE, typed: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        command = [*OFFLINE, f"-chdir={folder}", *arguments]
        return subprocess.run(
            command, input=typed, env=environment(**variables), capture_output=True, text=True, timeout=600, check=False
        )

    return run


@pytest.fixture(scope="session")
def module_test(terraform: Terraform) -> ModuleTest:
    """One `terraform test` of the whole module."""
    done = terraform("test", "-json", "-verbose")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    runs = [line["test_run"] for line in lines if line["type"] == "test_run" and line["test_run"].get("status")]
    return ModuleTest(
        {(run["path"], run["run"]): run["status"] for run in runs},
        [line["diagnostic"]["detail"] for line in lines if line["type"] == "diagnostic"],
        {line["@testrun"]: line["test_plan"] for line in lines if line["type"] == "test_plan"},
        {line["@testrun"]: line["test_state"] for line in lines if line["type"] == "test_state"},
    )
