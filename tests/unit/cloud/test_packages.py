"""The packages for the cloud build, and run in an environment without the rest of our code."""

import subprocess
import sys
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from csat.cloud.packages import LOCK, build_wheel, fill_packages, install_command, pack
from csat.contract.errors import CsatError
from csat.contract.settings import ROOT
from csat.contract.version import code_version
from tests.documents import tracked_files

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"), "0.1.0.post7")


@pytest.fixture(scope="module")
def packages(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of a batch, for this Python instead of the runtime's."""
    folder = tmp_path_factory.mktemp("batch") / "packages"
    fill_packages(folder, wheel, HERE)
    return folder


def run(packages: Path, tmp_path: Path, *arguments: str) -> str:
    """The output of a Python that sees only the packages and the runtime's own: pyspark and py4j."""
    for name in ("pyspark", "py4j"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (tmp_path / name).symlink_to(Path(spec.origin).parent)
    variables = {"PYTHONPATH": f"{packages}:{tmp_path}", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-S", "-s", *arguments]
    done = subprocess.run(
        command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_wheel_has_every_package_with_its_data_and_the_requested_version(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert wheel.name == "csat-0.1.0.post7-py3-none-any.whl"
    sources = {str(path) for path in tracked_files() if path.parts[0] in {"csat", "producer", "spark"}}
    assert {"csat/contract/landing_schema.json", "csat/reporting/sql/agent.sql", "csat/local/jars.sha256"} <= sources
    assert sources <= names


def test_the_job_runs_in_an_environment_with_only_its_packages(packages: Path, tmp_path: Path) -> None:
    assert "--catch-up" in run(packages, tmp_path, str(ROOT / "csat" / "cloud" / "stream_job.py"), "--help")


def test_every_lazy_import_of_a_driver_works_and_its_version_is_known(packages: Path, tmp_path: Path) -> None:
    modules = ["spark.load_jobs", "spark.staging", "csat.bigquery.client", "csat.kafka.login", "gcsfs"]
    code = f"import {', '.join(modules)}; from csat.contract.version import code_version; print(code_version())"
    # The guard uses it to find the release of its own code
    assert run(packages, tmp_path, "-c", code) == code_version()


def test_packages_of_the_runtime_are_not_included(packages: Path) -> None:
    assert not {"pyspark", "py4j", "pandas", "numpy"} & {path.name for path in packages.iterdir()}


def test_the_packages_are_for_the_runtimes_python_pinned_by_hash_and_not_built() -> None:
    arguments = install_command(Path("x"))
    assert {"--require-hashes", "--only-binary"} <= set(arguments)
    assert arguments[arguments.index("--python-version") + 1] == "3.12"
    assert arguments[arguments.index("-r") + 1] == str(LOCK) == str(ROOT / "locks" / "stream.txt")


def test_the_archive_unpacks_to_the_folders_content(tmp_path: Path) -> None:
    (tmp_path / "packages" / "csat").mkdir(parents=True)
    (tmp_path / "packages" / "csat" / "a.py").write_text("A = 1\n")
    path = pack(tmp_path / "packages", tmp_path / "packages.tar.gz")
    with tarfile.open(path) as archive:
        assert archive.getnames() == ["csat", "csat/a.py"]


def test_a_wheel_that_cannot_be_built_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(CsatError, match="not a version"):
        build_wheel(tmp_path, "not a version")
