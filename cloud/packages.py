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
import zipfile
from collections.abc import Sequence
from pathlib import Path

from csat.settings import ROOT

PYTHON = "3.12"  # of runtime 3.0
PLATFORM = "x86_64-manylinux_2_28"
LOCK = ROOT / "locks" / "stream.txt"
_BUILD_SECONDS = 600
_SOURCES = ("csat", "producer", "spark", "warehouse", "guard", "local", "sqlcheck", "cloud")


class PackagesError(Exception):
    """A package could not be built; the message holds the end of what the tool said."""


def build_wheel(folder: Path, version: str) -> Path:
    """The wheel of this tree in `folder`, with this version instead of the project's. Raises PackagesError."""
    tree = folder / "tree"
    for name in _SOURCES:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    project = (ROOT / "pyproject.toml").read_text()
    (tree / "pyproject.toml").write_text(re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', project, count=1))
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
    return ["uv", "pip", "install", "--quiet", *target, "--only-binary", ":all:", "--require-hashes", "-r", str(LOCK)]


def _run(words: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False)
    except FileNotFoundError as error:
        raise PackagesError(f"{words[0]} is missing: pip install {words[0]}") from error
    if done.returncode != 0:
        raise PackagesError(f"{' '.join(words[:4])} … failed: {(done.stderr or done.stdout).strip()[-800:]}")
