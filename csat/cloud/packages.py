"""The packages for the cloud: the wheel, and the archive of all Python code that a batch of the stream needs.

Dataproc's own environment has pyspark, pandas and numpy, and other packages in its own versions. The archive holds csat
and the pins of `locks/stream.txt` for the runtime's Python; driver and executors find it first through PYTHONPATH. No
image is built, and nothing is installed when a batch starts.
"""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from csat.contract.errors import CsatError
from csat.contract.settings import ROOT
from csat.contract.version import sources_version

PYTHON = "3.12"  # of runtime 3.0
PLATFORM = "x86_64-manylinux_2_28"
LOCK = ROOT / "locks" / "stream.txt"
UV = ".venvs/uv/bin/uv"  # of the folder that its commands run in
_BUILD_SECONDS = 600
_AIRFLOW_FOLDERS = ("csat", "spark")
_PROJECT = ROOT / "pyproject.toml"


def package_version() -> str:
    """The version under which Airflow installs this code, derived from its sources."""
    return f"{_project()['project']['version']}.post{int(sources_version(_AIRFLOW_FOLDERS), 16)}"


def build_wheel(folder: Path, version: str) -> Path:
    """Build the wheel of this code in `folder` with this version instead of the project's. Raises CsatError."""
    tree = folder / "tree"
    for name in _project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    changed = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', _PROJECT.read_text(), count=1)
    (tree / "pyproject.toml").write_text(changed)
    _run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)], tree)
    shutil.rmtree(tree)
    return next(folder.glob("csat-*.whl"))


def fill_packages(packages: Path, wheel: Path, python: str = PYTHON) -> None:
    """Put all Python packages that a batch needs into a folder. Raises CsatError."""
    _run(install_command(packages, python), ROOT)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)  # noqa: S202  # built here, a moment ago


def pack(packages: Path, path: Path) -> Path:
    """Pack a folder's content into an archive at `path`."""
    with tarfile.open(
        path, "w:gz", compresslevel=1
    ) as archive:  # mostly shared libraries: a higher level takes long and gains little
        for entry in sorted(packages.iterdir()):
            archive.add(entry, entry.name)
    return path


def install_command(packages: Path, python: str = PYTHON) -> list[str]:
    """The command that installs the lock's pins into a folder, for another Python and platform than this one."""
    target = ["--target", str(packages), "--python-version", python, "--python-platform", PLATFORM]
    return [UV, "pip", "install", "--quiet", *target, "--only-binary", ":all:", "--require-hashes", "-r", str(LOCK)]


def _project() -> dict[str, Any]:
    return tomllib.loads(_PROJECT.read_text())


def _run(arguments: Sequence[str], folder: Path) -> None:
    try:
        result = subprocess.run(
            arguments, cwd=folder, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise CsatError(f"{arguments[0]} is missing: make setup") from error
    if result.returncode != 0:
        raise CsatError(f"{' '.join(arguments[:4])} … failed: {(result.stderr or result.stdout).strip()[-800:]}")
