"""The packages that go to the cloud: the wheel, and the archive of all Python that a batch of the stream needs.

Dataproc's own environment has pyspark, pandas and numpy, and others in versions of its own. The archive holds csat and
what `locks/stream.txt` pins, for the runtime's Python; driver and executors find it first, by PYTHONPATH. No image is
built and nothing is installed when a batch starts.
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

from csat.settings import ROOT
from csat.version import sources_version

PYTHON = "3.12"  # of runtime 3.0
PLATFORM = "x86_64-manylinux_2_28"
LOCK = ROOT / "locks" / "stream.txt"
UV = ".venvs/uv/bin/uv"  # of the folder that its commands run in
_BUILD_SECONDS = 600
_OF_AIRFLOW = ("csat", "guard", "spark", "warehouse")
_PROJECT = ROOT / "pyproject.toml"


class PackagesError(Exception):
    """A package could not be built; the message holds the end of what the tool said."""


def package_version() -> str:
    """The version under which Airflow installs this code: another for other code, the same for the same."""
    return f"{_project()['project']['version']}.post{int(sources_version(_OF_AIRFLOW), 16)}"


def build_wheel(folder: Path, version: str) -> Path:
    """The wheel of this tree in `folder`, with this version instead of the project's. Raises PackagesError."""
    tree = folder / "tree"
    for name in _project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    changed = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', _PROJECT.read_text(), count=1)
    (tree / "pyproject.toml").write_text(changed)
    _run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)], tree)
    shutil.rmtree(tree)
    return next(folder.glob("csat-*.whl"))


def fill_packages(packages: Path, wheel: Path, python: str = PYTHON) -> None:
    """Put all Python that a batch needs into a folder. Raises PackagesError."""
    _run(words_of_install(packages, python), ROOT)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)  # noqa: S202  # built here, a moment ago


def pack(packages: Path, path: Path) -> Path:
    """The archive of what is in a folder; `path` is its own."""
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:  # shared libraries: more takes long and gains little
        for entry in sorted(packages.iterdir()):
            archive.add(entry, entry.name)
    return path


def words_of_install(packages: Path, python: str = PYTHON) -> list[str]:
    """The command that puts what the lock pins into a folder, for another Python and another machine than these."""
    target = ["--target", str(packages), "--python-version", python, "--python-platform", PLATFORM]
    return [UV, "pip", "install", "--quiet", *target, "--only-binary", ":all:", "--require-hashes", "-r", str(LOCK)]


def _project() -> dict[str, Any]:
    return tomllib.loads(_PROJECT.read_text())


def _run(words: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False)
    except FileNotFoundError as error:
        raise PackagesError(f"{words[0]} is missing: make setup") from error
    if done.returncode != 0:
        raise PackagesError(f"{' '.join(words[:4])} … failed: {(done.stderr or done.stdout).strip()[-800:]}")
