"""A deploy: which files and commands it takes to where, in which order, and how it ends when a step fails."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cloud import deploy as module
from cloud import edge as edge_module
from cloud.deploy import deploy
from cloud.edge import DeployError, Edge
from cloud.packages import package_version
from csat.release import Release
from csat.settings import ROOT
from csat.version import code_version

VARIABLES = {"CSAT_REGION": "europe-west1", "CSAT_PROJECT_ID": "shop"}
IMAGE = f"registry.example/shop/images/pipeline:{package_version()}"


class Machine:
    """What a deploy touches, noted down. Buckets are folders; commands answer what the test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands: list[str] = []
        self.secrets: list[Mapping[str, str]] = []
        self.answers: dict[str, str] = {}
        self.failing = ""
        self.jar = folder / "a.jar"
        self.jar.write_text("jar")

    def edge(self) -> Edge:
        return Edge(edge_module.upload, edge_module.write, self.command, self.ask, lambda: [self.jar])

    def command(self, words: Sequence[str], variables: Mapping[str, str]) -> None:
        if self.failing and self.failing in " ".join(words):
            raise DeployError(f"{words[0]} failed")
        self.commands.append(" ".join(words))
        self.secrets.append(variables)

    def ask(self, words: Sequence[str]) -> str:
        return next((answer for part, answer in self.answers.items() if part in " ".join(words)), "")

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
        told: list[str] = []
        deploy(self.outputs(has_airflow=has_airflow), self.edge(), told.append, is_dry=is_dry)
        return told


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine on which what a batch runs is built in no time: tests/unit/cloud/test_packages.py builds it."""

    def wheel(folder: Path, version: str) -> Path:
        path = folder / f"csat-{version}-py3-none-any.whl"
        path.write_text("wheel")
        return path

    def fill(packages: Path, wheel: Path) -> None:
        packages.mkdir()
        (packages / "csat.py").write_text("")

    monkeypatch.setattr(module, "build_wheel", wheel)
    monkeypatch.setattr(module, "fill_packages", fill)
    return Machine(tmp_path)


def test_a_dry_run_tells_every_step_and_takes_none(machine: Machine) -> None:
    told = machine.run(is_dry=True)
    assert [text.split(". ")[0] for text in told] == [str(number) for number in range(1, len(told) + 1)]
    assert any(f"docker push {IMAGE}" in text for text in told)
    assert any("dags/run_stream.py" in text for text in told)
    assert machine.commands == []
    assert not (machine.folder / "code").exists()


def test_a_deploy_puts_what_a_batch_runs_into_the_folder_of_this_version(machine: Machine) -> None:
    machine.run(has_airflow=False)
    release = Release.read((machine.folder / "code").as_uri(), code_version())
    files = [release.job, release.packages, *release.jars]
    assert [uri.rpartition("/")[2] for uri in files] == ["stream_job.py", "packages.tar.gz", "a.jar"]
    assert all(Path(uri.removeprefix("file://")).is_file() for uri in files)
    assert Path(release.job.removeprefix("file://")).read_text() == (ROOT / "cloud/stream_job.py").read_text()


def test_half_a_deploy_is_no_release(machine: Machine) -> None:
    machine.jar.unlink()
    with pytest.raises(DeployError, match=r"a\.jar was not uploaded"):
        machine.run(has_airflow=False)
    assert list((machine.folder / "code").rglob("packages.tar.gz"))
    assert not list((machine.folder / "code").rglob("release.json"))


def test_without_composer_no_command_is_run(machine: Machine) -> None:
    told = machine.run(has_airflow=False)
    assert "docs/cloud.md" in told[-1]
    assert machine.commands == []


def test_with_composer_the_image_goes_to_its_job_and_the_package_to_airflow(machine: Machine) -> None:
    machine.answers = {"print-access-token": "ya29.token\n"}
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
    assert pools == [f"{run} stream 2 csat", f"{run} pipeline 3 csat"]
    pip = (machine.folder / "dags-bucket/config/pip/pip.conf").read_text()
    assert pip == "[global]\nextra-index-url = https://registry.example/shop/packages/simple/\n"


def test_the_login_of_the_registry_is_in_no_command_line(machine: Machine) -> None:
    machine.answers = {"print-access-token": "ya29.token\n"}
    told = machine.run()
    assert machine.secrets[3] == {"UV_PUBLISH_USERNAME": "oauth2accesstoken", "UV_PUBLISH_PASSWORD": "ya29.token"}
    assert "ya29" not in " ".join([*machine.commands, *told])


def test_composer_that_has_this_code_is_left_alone_for_half_an_hour_less(machine: Machine) -> None:
    machine.answers = {"environments describe": f"=={package_version()}\n"}
    machine.run()
    assert [words.split()[0] for words in machine.commands] == ["docker", "docker", "gcloud", "gcloud", "gcloud"]
    assert "update-pypi-package" not in " ".join(machine.commands)


def test_a_package_that_is_there_is_not_published_again(machine: Machine) -> None:
    machine.answers = {"artifacts versions list": f"0.1.0.post1\n{package_version()}\n"}
    machine.run()
    assert "uv publish" not in " ".join(machine.commands)
    assert "update-pypi-package" in " ".join(machine.commands)


def test_every_dag_goes_to_the_bucket_and_after_the_package(machine: Machine) -> None:
    machine.failing = "environments update"
    with pytest.raises(DeployError):
        machine.run()
    assert not (machine.folder / "dags-bucket/dags").exists(), "DAGs of new code beside a guard of old code"
    machine.failing = ""
    machine.run()
    uploaded = {path.name for path in (machine.folder / "dags-bucket/dags").iterdir()}
    assert uploaded == {path.name for path in (ROOT / "dags").glob("*.py")}


def test_the_version_of_the_package_is_one_that_pip_takes_and_follows_from_the_code() -> None:
    number = package_version().removeprefix("0.1.0.post")
    assert number.isdigit()
    assert package_version() == package_version()


def test_a_command_that_is_missing_or_fails_is_an_error_that_names_it() -> None:
    with pytest.raises(DeployError, match="no-such-program is missing"):
        edge_module.command(["no-such-program"], {})
    with pytest.raises(DeployError, match=r"'exit 3' failed: mend what it says"):
        edge_module.command(["sh", "-c", "exit 3"], {})


def test_the_program_refuses_outputs_that_are_empty_with_the_fix() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cloud.deploy", "--dry-run"],
        input="{}",
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "error: Terraform has no outputs yet: make cloud-apply\n")


def test_the_program_tells_its_steps_from_terraforms_outputs(machine: Machine) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cloud.deploy", "--dry-run"],
        input=json.dumps(machine.outputs(has_airflow=True)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"1. build the wheel {package_version()}")
