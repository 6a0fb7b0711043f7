"""Brings this tree's code to what Terraform made: `terraform output -json | python -m cloud.deploy [--dry-run]`.

Every step may be taken again; the first that fails ends the deploy, and what runs goes on as it did. What a batch of
the stream runs is found by the version of the code, so a driver changes its code only when Airflow's guard does.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cloud.edge import DeployError, Edge, ask, command, upload, write
from cloud.packages import UV, PackagesError, build_wheel, fill_packages, pack, package_version
from csat.airflow_api import POOLS
from csat.release import Release, release_folder, release_uri
from csat.settings import ROOT, get_settings
from csat.version import code_version
from local.jars import JarsError, dataproc_jars
from local.java import JavaError


@dataclass(frozen=True)
class Step:
    """One step: what it does, in one line, and doing it."""

    text: str
    run: Callable[[], None]


def steps(outputs: Mapping[str, Any], folder: Path, edge: Edge) -> Iterator[Step]:
    """The steps of a deploy; builds go to `folder`. Raises DeployError where Terraform has made nothing yet."""
    values = {name: output["value"] for name, output in outputs.items()}
    if "env_vars" not in values:
        raise DeployError("Terraform has no outputs yet: make cloud-apply")
    yield from _release_steps(values["env_vars"]["CSAT_CODE_URI"], folder, edge)
    airflow = values.get("airflow")
    if airflow is None:
        yield Step("no Composer: Airflow is the compose stack on a machine, see docs/cloud.md", lambda: None)
        return
    yield from _image_steps(values["env_vars"], airflow, edge)
    yield from _package_steps(values["env_vars"], airflow, folder, edge)
    yield from _pool_steps(values["env_vars"], airflow, edge)
    yield from _dag_steps(airflow["bucket_uri"], edge)


def _release_steps(code_uri: str, folder: Path, edge: Edge) -> Iterator[Step]:
    """What a batch runs; the document that makes it a release comes last."""
    target = release_folder(code_uri, code_version())
    archive, packages = folder / "packages.tar.gz", folder / "packages"

    def build() -> None:
        fill_packages(packages, build_wheel(folder, package_version()))
        pack(packages, archive)

    def upload() -> None:
        jars = edge.jars()
        edge.upload(archive, f"{target}/packages.tar.gz")
        edge.upload(ROOT / "cloud" / "stream_job.py", f"{target}/stream_job.py")
        for jar in jars:
            edge.upload(jar, f"{target}/jars/{jar.name}")
        addresses = tuple(f"{target}/jars/{jar.name}" for jar in jars)
        release = Release(job=f"{target}/stream_job.py", packages=f"{target}/packages.tar.gz", jars=addresses)
        edge.write(release_uri(code_uri, code_version()), release.model_dump_json(indent=2))

    yield Step(f"build the wheel {package_version()} and the archive of the stream's packages", build)
    yield Step(
        f"upload packages.tar.gz, stream_job.py, the Kafka connector's jars and release.json to {target}/", upload
    )


def _image_steps(variables: Mapping[str, str], airflow: Mapping[str, str], edge: Edge) -> Iterator[Step]:
    """The image of csat's commands, and the job that runs it."""
    image = f"{airflow['images']}/pipeline:{package_version()}"
    # Cloud Run takes amd64 only, whatever builds
    build = [
        "docker",
        "build",
        "--platform=linux/amd64",
        "--file",
        "docker/Dockerfile",
        "--target",
        "pipeline",
        "--tag",
        image,
        ".",
    ]
    yield _command(build, edge)
    yield _command(["docker", "push", image], edge)
    where = [f"--region={variables['CSAT_REGION']}", f"--project={variables['CSAT_PROJECT_ID']}"]
    yield _command(["gcloud", "run", "jobs", "update", airflow["command_job"], f"--image={image}", *where], edge)


def _package_steps(
    variables: Mapping[str, str], airflow: Mapping[str, str], folder: Path, edge: Edge
) -> Iterator[Step]:
    """The package csat into Composer's own environment: its triggerer sees neither DAGs nor plugins."""
    version, registry = package_version(), f"https://{airflow['packages']}"
    where = [f"--location={variables['CSAT_REGION']}", f"--project={variables['CSAT_PROJECT_ID']}"]
    environment_words = ["gcloud", "composer", "environments"]
    publish = [UV, "publish", f"--publish-url={registry}/"]

    def install() -> None:
        field = "--format=value(config.softwareConfig.pypiPackages.csat)"
        if edge.ask([*environment_words, "describe", airflow["environment"], *where, field]).strip() == f"=={version}":
            return
        wheel = next(folder.glob("csat-*.whl"))
        known = ["gcloud", "artifacts", "versions", "list", "--package=csat", f"--repository={airflow['repository']}"]
        if version not in edge.ask([*known, *where, "--format=value(name)"]).split():
            token = edge.ask(["gcloud", "auth", "print-access-token"]).strip()
            login = {"UV_PUBLISH_USERNAME": "oauth2accesstoken", "UV_PUBLISH_PASSWORD": token}
            edge.command([*publish, str(wheel)], login)
        # The exact version, which nobody else can have published, so that no other index can offer a newer csat
        edge.write(f"{airflow['bucket_uri']}/config/pip/pip.conf", f"[global]\nextra-index-url = {registry}/simple/\n")
        edge.command(
            [*environment_words, "update", airflow["environment"], *where, f"--update-pypi-package=csat=={version}"], {}
        )

    yield Step(
        f"where Composer has another csat: {shlex.join(publish)} csat-{version}-py3-none-any.whl, then "
        f"gcloud composer environments update {airflow['environment']} --update-pypi-package=csat=={version}",
        install,
    )


def _pool_steps(variables: Mapping[str, str], airflow: Mapping[str, str], edge: Edge) -> Iterator[Step]:
    """The pools that the DAGs name: no task runs before its pool is there."""
    where = [f"--location={variables['CSAT_REGION']}", f"--project={variables['CSAT_PROJECT_ID']}"]
    run = ["gcloud", "composer", "environments", "run", airflow["environment"], *where, "pools", "set", "--"]
    for name, slots in POOLS.items():
        yield _command([*run, name, str(slots), "csat"], edge)


def _dag_steps(bucket_uri: str, edge: Edge) -> Iterator[Step]:
    """The DAG files. One that is no longer here is left: others may have DAGs there too."""
    for path in sorted((ROOT / "dags").glob("*.py")):
        target = f"{bucket_uri}/dags/{path.name}"
        yield Step(f"upload dags/{path.name} to {target}", lambda path=path, target=target: edge.upload(path, target))  # type: ignore[misc]


def _command(words: list[str], edge: Edge) -> Step:
    return Step(shlex.join(words), lambda: edge.command(words, {}))


def deploy(outputs: Mapping[str, Any], edge: Edge, tell: Callable[[str], None], *, is_dry: bool) -> None:
    """Take all steps, telling each before it; with `is_dry` only tell. Raises DeployError."""
    with TemporaryDirectory(prefix="csat-deploy-") as folder:
        for number, step in enumerate(steps(outputs, Path(folder), edge), start=1):
            tell(f"{number}. {step.text}")
            if not is_dry:
                step.run()


def main() -> None:
    """Read Terraform's outputs from standard input and deploy; every refusal names the fix."""
    parser = argparse.ArgumentParser(description="Bring this tree's code to Google Cloud.")
    parser.add_argument("--dry-run", action="store_true", help="print each step and take none")
    arguments = parser.parse_args()
    edge = Edge(upload, write, command, ask, lambda: dataproc_jars(get_settings().jars_dir))
    try:
        deploy(
            json.loads(sys.stdin.read() or "{}"), edge, lambda text: print(text, flush=True), is_dry=arguments.dry_run
        )
    except (DeployError, PackagesError, JarsError, JavaError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
