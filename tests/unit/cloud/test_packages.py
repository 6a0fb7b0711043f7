"""What goes to the cloud is built, and runs in an environment that has nothing else of ours."""

import subprocess
import sys
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from cloud.packages import LOCK, PackagesError, build_wheel, fill_packages, pack, words_of_install
from csat.settings import ROOT
from csat.version import code_version

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


def run(packages: Path, tmp_path: Path, *words: str) -> str:
    """What a Python says that sees the packages and what the runtime has: pyspark and py4j."""
    for name in ("pyspark", "py4j"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (tmp_path / name).symlink_to(Path(spec.origin).parent)
    variables = {"PYTHONPATH": f"{packages}:{tmp_path}", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-S", "-s", *words]
    done = subprocess.run(
        command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_wheel_has_every_package_with_its_data_and_the_version_it_was_asked_for(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert wheel.name == "csat-0.1.0.post7-py3-none-any.whl"
    assert {"csat/landing_schema.json", "spark/stream_responses.py", "warehouse/schemas/alerts.json"} <= names
    assert {"guard/dataproc.py", "producer/profile.json"} <= names


def test_the_job_answers_in_an_environment_of_its_own_packages(packages: Path, tmp_path: Path) -> None:
    assert "--catch-up" in run(packages, tmp_path, str(ROOT / "cloud" / "stream_job.py"), "--help")


def test_everything_that_a_driver_imports_later_is_there_and_it_knows_its_version(
    packages: Path, tmp_path: Path
) -> None:
    modules = ["spark.load_jobs", "spark.staging", "warehouse.client", "warehouse.kafka_login", "gcsfs"]
    code = f"import {', '.join(modules)}; from csat.version import code_version; print(code_version())"
    # By it the guard finds the release of the code that it has itself
    assert run(packages, tmp_path, "-c", code) == code_version()


def test_what_the_runtime_has_is_not_brought_again(packages: Path) -> None:
    assert not {"pyspark", "py4j", "pandas", "numpy"} & {path.name for path in packages.iterdir()}


def test_the_packages_are_those_of_the_runtimes_python_by_hash_and_without_a_build() -> None:
    words = words_of_install(Path("x"))
    assert {"--require-hashes", "--only-binary"} <= set(words)
    assert words[words.index("--python-version") + 1] == "3.12"
    assert words[words.index("-r") + 1] == str(LOCK) == str(ROOT / "locks" / "stream.txt")


def test_the_archive_unpacks_to_what_was_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "packages" / "csat").mkdir(parents=True)
    (tmp_path / "packages" / "csat" / "a.py").write_text("A = 1\n")
    path = pack(tmp_path / "packages", tmp_path / "packages.tar.gz")
    with tarfile.open(path) as archive:
        assert archive.getnames() == ["csat", "csat/a.py"]


def test_a_wheel_that_cannot_be_built_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(PackagesError, match="not a version"):
        build_wheel(tmp_path, "not a version")
