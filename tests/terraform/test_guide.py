"""The original guide's three commands work in a clean clone with the project's id and nothing else."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import ROOT, environment
from tests.documents import tracked_files
from tests.terraform.conftest import CLOUD_GUIDE, MODULE, OFFLINE, ModuleTest, Terraform

GUIDE_APIS = {
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "bigquery.googleapis.com",
    "dataform.googleapis.com",
}
PLANNED = re.compile(r"Plan: (\d+) to add, 0 to change, 0 to destroy\.")
KEY = Path(".google/credentials/google_credentials_project.json")
Guide = Callable[..., str]


def clean_clone(folder: Path) -> Path:
    """A copy of what Terraform reads of a clean clone: no state, no plans, no values of this machine's own."""
    for name in tracked_files():
        is_schema = name.parts[0] == "csat" and name.suffix in {".json", ".sql"}
        if name.parts[0] in {"terraform", "Makefile", "tools", "locks"} or is_schema:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / ".venvs").symlink_to(ROOT / ".venvs")  # the programs that make needs are installed already
    return folder


def guide_in(clone: Path, terraform: Terraform) -> Guide:
    """Runs one of the guide's commands in the clone's folder; gives what it prints."""

    def run(*arguments: str, typed: str = "") -> str:
        done = terraform(*arguments, "-no-color", folder=clone / "terraform", typed=typed)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clean clone."""
    return clean_clone(tmp_path)


@pytest.fixture
def guide(clone: Path, terraform: Terraform) -> Guide:
    """The guide's commands in the clean clone."""
    return guide_in(clone, terraform)


@pytest.fixture(scope="module")
def typed_plan(tmp_path_factory: pytest.TempPathFactory, terraform: Terraform) -> tuple[str, dict[str, dict[str, Any]]]:
    """A plan whose project was typed: what was printed, and the planned arguments of every resource by address."""
    guide = guide_in(clean_clone(tmp_path_factory.mktemp("clone")), terraform)
    guide("init")
    printed = guide("plan", "-out=guide.tfplan", typed="shop-data-1\n")
    changes = json.loads(guide("show", "-json", "guide.tfplan"))["resource_changes"]
    return printed, {change["address"]: change["change"]["after"] for change in changes}


def test_init_plan_apply_and_destroy_need_no_more_than_the_project_in_terraform_tfvars(
    clone: Path, guide: Guide
) -> None:
    example = (clone / "terraform/terraform.tfvars.example").read_text()
    (clone / "terraform/terraform.tfvars").write_text(example.replace("my-project", "shop-data-1"))
    assert "Terraform has been successfully initialized!" in guide("init")
    found = PLANNED.search(guide("plan"))
    assert found
    assert f"Apply complete! Resources: {found[1]} added, 0 changed, 0 destroyed." in guide("apply", typed="yes\n")
    assert "No changes." in guide("plan")
    assert re.search(r'"CSAT_PROJECT_ID" += "shop-data-1"', guide("output", "env_vars"))
    state = json.loads((clone / "terraform/terraform.tfstate").read_text())
    assert {"google_storage_bucket", "google_bigquery_dataset"} <= {one["type"] for one in state["resources"]}
    assert f"Destroy complete! Resources: {found[1]} destroyed." in guide("destroy", typed="yes\n")


def test_plan_asks_for_the_project_and_for_nothing_else(typed_plan: tuple[str, Any]) -> None:
    printed, _ = typed_plan
    assert re.findall(r"^var\.(\w+)$", printed, re.MULTILINE) == ["project_id"]
    assert PLANNED.search(printed)


def test_guide_says_how_many_resources_are_planned_and_made(typed_plan: tuple[str, Any]) -> None:
    found = PLANNED.search(typed_plan[0])
    assert found
    assert f"`{found[0]}`, `Apply complete! Resources: {found[1]} added" in CLOUD_GUIDE


def test_guide_says_how_many_settings_are_written(module_test: ModuleTest) -> None:
    settings = module_test.output("names_are_handed_to_csat", "env_vars")
    assert f"`.env written: {len(settings)} settings`" in CLOUD_GUIDE


def test_plan_has_the_guides_apis_and_names_made_of_the_project(typed_plan: tuple[str, Any]) -> None:
    _, after = typed_plan
    services = {value["service"] for address, value in after.items() if "google_project_service" in address}
    assert services >= GUIDE_APIS
    buckets = [value for address, value in after.items() if address.startswith("google_storage_bucket.main")]
    assert buckets
    assert all(bucket["name"].startswith("shop-data-1-csat-") for bucket in buckets)
    assert {(bucket["location"], bucket["force_destroy"]) for bucket in buckets} == {("US", False)}
    assert after["google_bigquery_table.survey_responses"]["deletion_protection"] is True


@pytest.mark.parametrize("is_there", [True, False])
def test_key_of_the_guide_is_found_where_it_is(terraform: Terraform, tmp_path: Path, is_there: bool) -> None:
    if is_there:
        (tmp_path / KEY).parent.mkdir(parents=True)
        (tmp_path / KEY).write_text("{}")
    done = terraform("console", "-var=project_id=shop-data-1", typed="local.credentials_file\n", HOME=str(tmp_path))
    assert done.stdout.strip() == (f'"{tmp_path / KEY}"' if is_there else "tostring(null)"), done.stderr


def test_example_names_variables_with_their_defaults(guide: Guide) -> None:
    example = (MODULE / "terraform.tfvars.example").read_text()
    named = dict(re.findall(r"^#? ?(\w+) += (.+?)(?: *#.*)?$", example, re.MULTILINE))
    assert set(named) >= {"project_id", "region", "location"}
    variables = (MODULE / "variables.tf").read_text()
    assert [name for name in named if f'variable "{name}" {{' not in variables] == []
    assert [line for line in example.splitlines() if line and not line.startswith("#")] == ['project_id = "my-project"']


def test_stub_provider_refuses_to_apply_in_the_modules_own_folder(terraform: Terraform) -> None:
    done = terraform("apply", "-auto-approve", "-var=project_id=shop-data-1")
    assert done.returncode != 0
    assert "copy" in done.stderr
    assert not (MODULE / "terraform.tfstate").exists()


def test_make_plans_and_applies_with_state_in_the_folder(clone: Path) -> None:
    (clone / "terraform/terraform.tfvars").write_text('project_id = "shop-data-1"')
    offline = f"TERRAFORM={' '.join(OFFLINE)} -chdir=terraform"
    planned, applied = make(clone, "cloud-plan", offline), make(clone, "cloud-apply", offline)
    assert (planned.returncode, applied.returncode) == (0, 0), planned.stderr + applied.stderr
    assert "Apply complete!" in applied.stdout
    assert (clone / "terraform/terraform.tfstate").exists()
    assert make(clone, "cloud-apply", offline).stderr.startswith("no plan: make cloud-plan\n")


def test_bucket_for_the_state_is_an_override_file_that_make_writes(clone: Path, guide: Guide) -> None:
    done = make(clone, "cloud-backend", "ENVIRONMENT=prod")
    assert done.returncode == 0, done.stderr
    override = (clone / "terraform/backend_override.tf").read_text()
    assert re.findall(r'backend "(\w+)"|(bucket|prefix) += "(.+)"', override) == [
        ("gcs", "", ""),
        ("", "bucket", "my-project-terraform"),
        ("", "prefix", "csat/prod"),
    ]
    guide("init", "-backend=false")
    guide("validate")


def test_files_of_this_machine_are_ignored_by_git() -> None:
    names = [f"terraform/{name}" for name in ("backend_override.tf", "terraform.tfvars", "terraform.tfstate")]
    names += ["terraform/.terraform.lock.hcl"]  # its entries are named by a registry's host
    done = subprocess.run(["git", "check-ignore", *names], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == names


def test_bucket_is_refused_where_the_folder_has_state_of_its_own(clone: Path) -> None:
    (clone / "terraform/terraform.tfstate").write_text('{"version": 4}')
    done = make(clone, "cloud-init", "ENVIRONMENT=dev")
    assert done.returncode != 0
    assert "terraform/terraform.tfstate" in done.stderr
    assert "init -migrate-state" in done.stderr


def test_bucket_is_refused_where_the_guides_values_would_be_read_too(clone: Path) -> None:
    (clone / "terraform/terraform.tfvars").write_text('project_id = "shop-data-1"')
    done = make(clone, "cloud-init", "ENVIRONMENT=dev")
    assert done.returncode != 0
    assert "terraform/terraform.tfvars" in done.stderr


def test_state_of_this_machine_is_refused_where_an_environment_is_set_up(clone: Path) -> None:
    (clone / "terraform/backend_override.tf").write_text('terraform {\n  backend "gcs" {}\n}\n')
    done = make(clone, "cloud-init")
    assert done.returncode != 0
    assert "ENVIRONMENT=" in done.stderr
    assert "terraform/backend_override.tf" in done.stderr


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Make in the clone, as a person calls it."""
    variables = {name: value for name, value in environment().items() if name not in {"MAKEFLAGS", "ENVIRONMENT"}}
    command = ["make", "-C", str(clone), *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
