"""Deploys this code to what Terraform created: `terraform output -json | python -m csat.cloud.deploy [--dry-run]`.

Every step is safe to repeat; the first failure ends the deploy, and what runs is not affected. A batch of the stream
finds its code by version, so a driver changes its code only when Airflow's guard does.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from csat.clients.airflow_api import POOLS
from csat.cloud.effects import Effects, command, output_of, upload, write
from csat.cloud.packages import UV, build_wheel, fill_packages, pack, package_version
from csat.contract.errors import CsatError
from csat.contract.settings import ROOT, get_settings
from csat.contract.version import code_version
from csat.control.object_store import md5
from csat.control.release import Release, release_folder, release_uri
from csat.local.jars import dataproc_jars


@dataclass(frozen=True)
class Step:
    """One step: its description in one line, and its action."""

    text: str
    run: Callable[[], None]


def steps(outputs: Mapping[str, Any], folder: Path, effects: Effects) -> Iterator[Step]:
    """The steps of a deploy; builds go to `folder`. Raises CsatError if Terraform has created nothing yet."""
    values = {name: output["value"] for name, output in outputs.items()}
    if "env_vars" not in values:
        raise CsatError("Terraform has no outputs yet: make cloud-apply")
    yield from _release_steps(values["env_vars"]["CSAT_CODE_URI"], folder, effects)
    airflow = values.get("airflow")
    if airflow is None:
        yield Step("no Composer: Airflow is the compose stack on a machine, see docs/cloud.md", lambda: None)
        return
    yield from _image_steps(values["env_vars"], airflow, effects)
    yield from _package_steps(values["env_vars"], airflow, folder, effects)
    yield from _pool_steps(values["env_vars"], airflow, effects)
    yield from _dag_steps(airflow["bucket_uri"], effects)


def _release_steps(code_uri: str, folder: Path, effects: Effects) -> Iterator[Step]:
    """What a batch runs; release.json, which completes the release, comes last."""
    target = release_folder(code_uri, code_version())
    archive, packages = folder / "packages.tar.gz", folder / "packages"

    def build() -> None:
        effects.jars()  # first: without pinned sums nothing is deployed
        fill_packages(packages, build_wheel(folder, package_version()))
        pack(packages, archive)

    def upload() -> None:
        job = ROOT / "csat" / "cloud" / "stream_job.py"
        jars = {f"{target}/jars/{jar.name}": jar for jar in effects.jars()}
        files = {f"{target}/packages.tar.gz": archive, f"{target}/stream_job.py": job, **jars}
        for address, path in files.items():
            effects.upload(path, address)
        release = Release(
            job=f"{target}/stream_job.py",
            packages=f"{target}/packages.tar.gz",
            jars=tuple(jars),
            md5={address: md5(path.read_bytes()) for address, path in files.items()},
        )
        effects.write(release_uri(code_uri, code_version()), release.model_dump_json(indent=2))

    yield Step(f"check the jars, build the wheel {package_version()} and the archive of the stream's packages", build)
    yield Step(
        f"upload packages.tar.gz, stream_job.py, the Kafka connector's jars and release.json to {target}/", upload
    )


def _image_steps(variables: Mapping[str, str], airflow: Mapping[str, str], effects: Effects) -> Iterator[Step]:
    """The image of csat's commands, and the job that runs it."""
    image = f"{airflow['images']}/pipeline:{package_version()}"
    # Cloud Run runs amd64 only, whatever machine builds
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
    yield _command(build, effects)
    yield _command(["docker", "push", image], effects)
    where = [f"--region={variables['CSAT_REGION']}", f"--project={variables['CSAT_PROJECT_ID']}"]
    yield _command(["gcloud", "run", "jobs", "update", airflow["command_job"], f"--image={image}", *where], effects)


def _package_steps(
    variables: Mapping[str, str], airflow: Mapping[str, str], folder: Path, effects: Effects
) -> Iterator[Step]:
    """The package csat in Composer's own environment: its triggerer sees neither DAGs nor plugins."""
    version, registry = package_version(), f"https://{airflow['packages']}"
    where = [f"--location={variables['CSAT_REGION']}", f"--project={variables['CSAT_PROJECT_ID']}"]
    environments = ["gcloud", "composer", "environments"]
    publish = [UV, "publish", f"--publish-url={registry}/"]

    def install() -> None:
        field = "--format=value(config.softwareConfig.pypiPackages.csat)"
        if (
            effects.output_of([*environments, "describe", airflow["environment"], *where, field]).strip()
            == f"=={version}"
        ):
            return
        wheel = next(folder.glob("csat-*.whl"))
        known = ["gcloud", "artifacts", "versions", "list", "--package=csat", f"--repository={airflow['repository']}"]
        if version not in effects.output_of([*known, *where, "--format=value(name)"]).split():
            token = effects.output_of(["gcloud", "auth", "print-access-token"]).strip()
            login = {"UV_PUBLISH_USERNAME": "oauth2accesstoken", "UV_PUBLISH_PASSWORD": token}
            effects.command([*publish, str(wheel)], login)
        # An exact version that nobody else can have published, so that no other index can offer a newer csat
        effects.write(
            f"{airflow['bucket_uri']}/config/pip/pip.conf", f"[global]\nextra-index-url = {registry}/simple/\n"
        )
        effects.command(
            [*environments, "update", airflow["environment"], *where, f"--update-pypi-package=csat=={version}"], {}
        )

    yield Step(
        f"if Composer has another csat version: {shlex.join(publish)} csat-{version}-py3-none-any.whl, then "
        f"gcloud composer environments update {airflow['environment']} --update-pypi-package=csat=={version}",
        install,
    )


def _pool_steps(variables: Mapping[str, str], airflow: Mapping[str, str], effects: Effects) -> Iterator[Step]:
    """The pools that the DAGs use: no task runs before its pool exists."""
    where = [f"--location={variables['CSAT_REGION']}", f"--project={variables['CSAT_PROJECT_ID']}"]
    run = ["gcloud", "composer", "environments", "run", airflow["environment"], *where, "pools", "set", "--"]
    for name, slots in POOLS.items():
        yield _command([*run, name, str(slots), "csat"], effects)


def _dag_steps(bucket_uri: str, effects: Effects) -> Iterator[Step]:
    """The DAG files. Files that no longer exist here are not deleted: others may have DAGs there too."""
    for path in sorted((ROOT / "dags").glob("*.py")):
        target = f"{bucket_uri}/dags/{path.name}"
        yield Step(f"upload dags/{path.name} to {target}", partial(effects.upload, path, target))


def _command(arguments: list[str], effects: Effects) -> Step:
    return Step(shlex.join(arguments), lambda: effects.command(arguments, {}))


def deploy(outputs: Mapping[str, Any], effects: Effects, report: Callable[[str], None], *, is_dry: bool) -> None:
    """Report and run each step; with `is_dry` only report. Raises CsatError."""
    with TemporaryDirectory(prefix="csat-deploy-") as folder:
        for number, step in enumerate(steps(outputs, Path(folder), effects), start=1):
            report(f"{number}. {step.text}")
            if not is_dry:
                step.run()


def main() -> None:
    """Read Terraform's outputs from standard input and deploy; every error names the fix."""
    parser = argparse.ArgumentParser(description="Deploy this code to Google Cloud.")
    parser.add_argument("--dry-run", action="store_true", help="print the steps without running them")
    arguments = parser.parse_args()
    effects = Effects(upload, write, command, output_of, lambda: dataproc_jars(get_settings().jars_dir))
    try:
        deploy(
            json.loads(sys.stdin.read() or "{}"),
            effects,
            lambda text: print(text, flush=True),
            is_dry=arguments.dry_run,
        )
    except CsatError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
