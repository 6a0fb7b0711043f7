"""A deploy: its uploads and commands, their order, and how it ends when a step fails."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from csat.cloud import deploy as module
from csat.cloud import effects as effects_module
from csat.cloud.deploy import deploy
from csat.cloud.effects import Effects
from csat.cloud.packages import package_version
from csat.contract.errors import CsatError
from csat.contract.settings import ROOT
from csat.contract.version import code_version
from csat.control.release import Release

VARIABLES = {"CSAT_REGION": "europe-west1", "CSAT_PROJECT_ID": "shop"}
IMAGE = f"registry.example/shop/images/pipeline:{package_version()}"
# What each command takes, by its first words
PUSH, ACT_AS = "roles/artifactregistry.writer", "roles/iam.serviceAccountUser"
ROLES: dict[str, list[str]] = {
    "docker build": [],
    "docker push": [PUSH],
    "gcloud run jobs update": ["roles/run.developer", ACT_AS],
    "gcloud composer environments": ["roles/composer.admin", ACT_AS],
    "gcloud artifacts versions list": [PUSH],
    "gcloud auth print-access-token": [],
    ".venvs/uv/bin/uv publish": [PUSH],
}


class Machine:
    """Records a deploy's side effects. Buckets are folders; commands return what the test sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands: list[str] = []
        self.queries: list[str] = []
        self.secrets: list[Mapping[str, str]] = []
        self.responses: dict[str, str] = {}
        self.failing = ""
        self.built: list[str] = []
        self.jar = folder / "a.jar"
        self.jar.write_text("jar")

    def effects(self) -> Effects:
        return Effects(effects_module.upload, effects_module.write, self.command, self.output_of, lambda: [self.jar])

    def command(self, arguments: Sequence[str], variables: Mapping[str, str]) -> None:
        if self.failing and self.failing in " ".join(arguments):
            raise CsatError(f"{arguments[0]} failed")
        self.commands.append(" ".join(arguments))
        self.secrets.append(variables)

    def output_of(self, arguments: Sequence[str]) -> str:
        self.queries.append(" ".join(arguments))
        return next((response for part, response in self.responses.items() if part in " ".join(arguments)), "")

    def outputs(self, *, has_airflow: bool) -> dict[str, Any]:
        airflow = {
            "environment": "csat",
            "bucket_uri": (self.folder / "dags-bucket").as_uri(),
            "images": "registry.example/shop/images",
            "packages": "registry.example/shop/packages",
            "repository": "csat-packages",
            "command_job": "csat-commands",
        }
        variables = VARIABLES | {"CSAT_CODE_URI": (self.folder / "code").as_uri()}
        return {"env_vars": {"value": variables}, "airflow": {"value": airflow if has_airflow else None}}

    def run(self, *, has_airflow: bool = True, is_dry: bool = False) -> list[str]:
        reported: list[str] = []
        deploy(self.outputs(has_airflow=has_airflow), self.effects(), reported.append, is_dry=is_dry)
        return reported


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with a fake build of the batch's packages: tests/unit/cloud/test_packages.py builds them."""

    found = Machine(tmp_path)

    def wheel(folder: Path, version: str) -> Path:
        found.built.append(version)
        path = folder / f"csat-{version}-py3-none-any.whl"
        path.write_text("wheel")
        return path

    def fill(packages: Path, wheel: Path) -> None:
        packages.mkdir()
        (packages / "csat.py").write_text("")

    monkeypatch.setattr(module, "build_wheel", wheel)
    monkeypatch.setattr(module, "fill_packages", fill)
    return found


def test_a_dry_run_reports_every_step_and_runs_none(machine: Machine) -> None:
    reported = machine.run(is_dry=True)
    assert [text.split(". ")[0] for text in reported] == [str(number) for number in range(1, len(reported) + 1)]
    assert any(f"docker push {IMAGE}" in text for text in reported)
    assert any("dags/run_stream.py" in text for text in reported)
    assert machine.commands == []
    assert not (machine.folder / "code").exists()


def test_a_deploy_puts_what_a_batch_runs_into_the_folder_of_this_version(machine: Machine) -> None:
    machine.run(has_airflow=False)
    release = Release.read((machine.folder / "code").as_uri(), code_version())
    files = [release.job, release.packages, *release.jars]
    assert [uri.rpartition("/")[2] for uri in files] == ["stream_job.py", "packages.tar.gz", "a.jar"]
    assert all(Path(uri.removeprefix("file://")).is_file() for uri in files)
    assert Path(release.job.removeprefix("file://")).read_text() == (ROOT / "csat/cloud/stream_job.py").read_text()


def test_a_file_that_changed_after_the_deploy_is_found(machine: Machine) -> None:
    machine.run(has_airflow=False)
    release = Release.read((machine.folder / "code").as_uri(), code_version())
    assert set(release.md5) == {release.job, release.packages, *release.jars}
    release.check()
    Path(release.packages.removeprefix("file://")).write_bytes(b"cut")
    with pytest.raises(CsatError, match=r"packages\.tar\.gz is not the file that was deployed"):
        release.check()


def test_an_incomplete_deploy_is_not_a_release(machine: Machine) -> None:
    machine.jar.unlink()
    with pytest.raises(CsatError, match=r"a\.jar was not uploaded"):
        machine.run(has_airflow=False)
    assert list((machine.folder / "code").rglob("packages.tar.gz"))
    assert not list((machine.folder / "code").rglob("release.json"))


def test_jars_that_are_not_the_pinned_ones_end_a_deploy_before_its_first_build(machine: Machine) -> None:
    def refuse() -> list[Path]:
        raise CsatError("no sums are pinned")

    effects = replace(machine.effects(), jars=refuse)
    with pytest.raises(CsatError, match="no sums are pinned"):
        deploy(machine.outputs(has_airflow=True), effects, print, is_dry=False)
    assert (machine.built, machine.commands) == ([], [])
    assert not (machine.folder / "code").exists()


def test_without_composer_no_command_is_run(machine: Machine) -> None:
    reported = machine.run(has_airflow=False)
    assert "docs/cloud.md" in reported[-1]
    assert machine.commands == []


def test_with_composer_the_image_goes_to_its_job_and_the_package_to_airflow(machine: Machine) -> None:
    machine.responses = {"print-access-token": "ya29.token\n"}
    machine.run()
    where, place = "--region=europe-west1 --project=shop", "--location=europe-west1 --project=shop"
    assert machine.commands[:3] == [
        f"docker build --platform=linux/amd64 --file docker/Dockerfile --target pipeline --tag {IMAGE} .",
        f"docker push {IMAGE}",
        f"gcloud run jobs update csat-commands --image={IMAGE} {where}",
    ]
    publish, update, *pools = machine.commands[3:]
    assert publish.startswith(".venvs/uv/bin/uv publish --publish-url=https://registry.example/shop/packages/ ")
    assert publish.endswith(f"csat-{package_version()}-py3-none-any.whl")
    version = f"--update-pypi-package=csat=={package_version()}"
    assert update == f"gcloud composer environments update csat {place} {version}"
    run = f"gcloud composer environments run csat {place} pools set --"
    assert pools == [f"{run} stream 2 csat", f"{run} marts 1 csat", f"{run} pipeline 3 csat"]
    pip = (machine.folder / "dags-bucket/config/pip/pip.conf").read_text()
    assert pip == "[global]\nextra-index-url = https://registry.example/shop/packages/simple/\n"


def test_the_login_of_the_registry_is_in_no_command_line(machine: Machine) -> None:
    machine.responses = {"print-access-token": "ya29.token\n"}
    reported = machine.run()
    assert machine.secrets[3] == {"UV_PUBLISH_USERNAME": "oauth2accesstoken", "UV_PUBLISH_PASSWORD": "ya29.token"}
    assert "ya29" not in " ".join([*machine.commands, *reported])


def test_the_guide_has_the_role_for_each_command_and_upload(machine: Machine) -> None:
    machine.run()
    called = machine.commands + machine.queries
    assert [command for command in called if not command.startswith(tuple(ROLES))] == []
    assert [begin for begin in ROLES if not any(command.startswith(begin) for command in called)] == []
    guide = (ROOT / "docs/cloud.md").read_text()
    [text] = re.findall(r"^To deploy later: (.+?)\n\n", guide, re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"`(roles/[\w.]+)`", text))
    assert {role for roles in ROLES.values() for role in roles} | {"roles/serviceusage.serviceUsageConsumer"} <= named
    assert "`roles/storage.objectUser` on the buckets `code` and `dags`" in " ".join(text.split())


def test_composer_is_not_updated_if_it_has_this_code(machine: Machine) -> None:
    machine.responses = {"environments describe": f"=={package_version()}\n"}
    machine.run()
    assert [arguments.split()[0] for arguments in machine.commands] == [
        "docker",
        "docker",
        "gcloud",
        "gcloud",
        "gcloud",
        "gcloud",
    ]
    assert "update-pypi-package" not in " ".join(machine.commands)


def test_an_existing_package_is_not_published_again(machine: Machine) -> None:
    machine.responses = {"artifacts versions list": f"0.1.0.post1\n{package_version()}\n"}
    machine.run()
    assert "uv publish" not in " ".join(machine.commands)
    assert "update-pypi-package" in " ".join(machine.commands)


def test_every_dag_goes_to_the_bucket_and_after_the_package(machine: Machine) -> None:
    machine.failing = "environments update"
    with pytest.raises(CsatError, match="gcloud failed"):
        machine.run()
    assert not (machine.folder / "dags-bucket/dags").exists(), "DAGs of new code beside a guard of old code"
    machine.failing = ""
    machine.run()
    uploaded = {path.name for path in (machine.folder / "dags-bucket/dags").iterdir()}
    assert uploaded == {path.name for path in (ROOT / "dags").glob("*.py")}


def test_the_package_version_is_valid_for_pip_and_derived_from_the_code() -> None:
    number = package_version().removeprefix("0.1.0.post")
    assert number.isdigit()
    assert package_version() == package_version()


def test_a_command_that_is_missing_or_fails_is_an_error_that_names_it() -> None:
    with pytest.raises(CsatError, match="no-such-program is missing"):
        effects_module.command(["no-such-program"], {})
    with pytest.raises(CsatError, match=r"'exit 3' failed: fix the error above"):
        effects_module.command(["sh", "-c", "exit 3"], {})


def test_the_program_refuses_empty_outputs_with_the_fix() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "csat.cloud.deploy", "--dry-run"],
        input="{}",
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "error: Terraform has no outputs yet: make cloud-apply\n")


def test_the_program_reports_its_steps_from_terraforms_outputs(machine: Machine) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "csat.cloud.deploy", "--dry-run"],
        input=json.dumps(machine.outputs(has_airflow=True)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"1. check the jars, build the wheel {package_version()}")
