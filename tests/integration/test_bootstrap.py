"""tools/bootstrap on a machine that has next to nothing: an empty environment, a fresh HOME, and a PATH without tools.

uv comes from the real package index. apt-get and sudo, which would alter the machine, are scripts on PATH that record
how they are called; releases come from a server of the test.
"""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from csat.contract.settings import ROOT, environment
from tests.http_server import serving

pytestmark = pytest.mark.integration

# Programs that Debian always has
BASE = """
    bash cat chmod cmp cp cut dirname env grep gzip mkdir mv rm sed sha256sum tail tar true uname
"""
KEPT = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "PIP_INDEX_URL")  # where the index is reached through them
OTHER_USER = 60_123
IS_ROOT = os.geteuid() == 0
UPDATE = "apt-get update"
INSTALL = "apt-get install --yes --option DPkg::Lock::Timeout=120"
JAVA = "echo 'openjdk version \"{}\"' >&2"
TERRAFORM_PAGE = "https://developer.hashicorp.com/terraform/install"
TERRAFORM = "echo 'Terraform v{}'"
Call = subprocess.CompletedProcess[str]


class Machine:
    """A machine with few programs, and a folder with the script and its pins; its user is root, or another."""

    def __init__(self, folder: Path, *, is_root: bool) -> None:
        self.project, self.programs, self.calls = folder / "project", folder / "programs", folder / "calls"
        self.home = folder / "home"
        for path in (self.project / "tools", self.project / "locks", self.programs, self.home):
            path.mkdir(parents=True)
        for name in ("tools/bootstrap", "tools/releases.txt", "locks/bootstrap.txt"):
            shutil.copy(ROOT / name, self.project / name)
        for name in BASE.split():
            (self.programs / name).symlink_to(str(shutil.which(name, path="/usr/bin:/bin")))
        self.calls.touch()
        self.user: dict[str, Any] = {}
        if IS_ROOT and not is_root:
            self.user = {"user": OTHER_USER, "group": OTHER_USER, "extra_groups": []}
            for path in (self.home, self.project, self.calls):
                os.chown(path, OTHER_USER, OTHER_USER)
        kept = {name: value for name, value in environment().items() if name in KEPT}
        self.variables = {"HOME": str(self.home), "PATH": str(self.programs), **kept}

    def has(self, name: str, script: str) -> None:
        """Put a program on PATH."""
        path = self.programs / name
        path.unlink(missing_ok=True)  # it may be a link to the machine's own
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def has_python(self, *names: str) -> None:
        """Put a Python with pip on PATH that this machine's user may run."""
        for python in (f"{sys.base_prefix}/bin/python3", "/usr/local/bin/python3", "/usr/bin/python3"):
            if self._call(["/bin/sh", "-c", f"{python} -m pip --version"], {}).returncode == 0:
                for name in names:
                    self.has(name, f'exec {python} "$@"')
                return
        pytest.fail("no Python with pip that another user may run: apt-get install python3-pip")

    def has_uv(self) -> None:
        """Have uv installed already."""
        (self.project / ".venvs").mkdir()
        if self.user:
            os.chown(self.project / ".venvs", OTHER_USER, OTHER_USER)
        (self.project / ".venvs" / "uv").symlink_to(ROOT / ".venvs" / "uv")

    def has_apt(self, *packages: str) -> None:
        """Put an apt-get on PATH that knows these packages. What it installs is Java 17, or answers to any call."""
        self.has("java-of-apt", JAVA.format("17.0.15"))
        refusal = "[[ $UID -eq 0 || -n ${BY_SUDO:-} ]] || exit 100"
        self.has(
            "apt-get",
            f"""if [[ "$*" == *--simulate* ]]; then [[ " {" ".join(packages)} " == *" ${{@: -1}} "* ]]; exit; fi
            echo "${{DEBIAN_FRONTEND:-}} ${{BY_SUDO:-}} apt-get $*" >> {self.calls}
            {refusal}
            [[ "$*" == *openjdk* ]] && cp {self.programs}/java-of-apt {self.programs}/java
            [[ "$*" == *chromium* ]] && cp {self.programs}/true {self.programs}/chromium
            true""",
        )
        (self.programs).chmod(0o777)  # of another user's apt-get, which is no root's

    def has_sudo(self) -> None:
        """Put a sudo on PATH that asks for no password."""
        self.has("sudo", '[[ $1 == -n ]] || exit 1; shift; BY_SUDO=sudo exec "$@"')

    def serves(self, port: int, archives: dict[str, bytes]) -> None:
        """Have the releases of tools/releases.txt at a server: by tool, the bytes at the address of that name."""
        kind = "-".join(os.uname()[index] for index in (0, 4))
        lines = (
            f"{tool} {kind} {hashlib.sha256(data).hexdigest()} http://127.0.0.1:{port}/{tool}.{ending}\n"
            for (tool, data), ending in zip(archives.items(), ("tar.gz", "zip"), strict=True)
        )
        (self.project / "tools" / "releases.txt").write_text("".join(lines))

    def bootstrap(self, *tools: str, **variables: str) -> Call:
        return self._call([str(self.project / "tools" / "bootstrap"), *tools], variables)

    def make(self, program: str) -> str:
        """What a program of .venvs/ says of its version."""
        done = self._call([str(self.project / ".venvs" / program), "--version"], {})
        return (done.stdout + done.stderr).strip()

    def recorded(self) -> list[str]:
        return [" ".join(line.split()) for line in self.calls.read_text().splitlines()]

    def _call(self, command: list[str], variables: dict[str, str]) -> Call:
        return subprocess.run(
            command,
            **self.user,
            cwd="/",
            env=self.variables | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def make_machine() -> Iterator[Callable[[bool], Machine]]:
    with tempfile.TemporaryDirectory() as folder:  # not pytest's, which other users may not enter
        Path(folder).chmod(0o755)
        yield lambda is_root: Machine(Path(folder), is_root=is_root)


@pytest.fixture
def root(make_machine: Callable[[bool], Machine]) -> Machine:
    """A machine on which the script runs as root, or where the tests do not, as their user with a sudo."""
    machine = make_machine(True)
    if not IS_ROOT:
        machine.has_sudo()
    return machine


@pytest.fixture
def user(make_machine: Callable[[bool], Machine]) -> Machine:
    return make_machine(False)


def archives() -> dict[str, bytes]:
    """A JDK and a Terraform as their makers pack them: one in a folder of its version, one beside a licence."""
    java, terraform = io.BytesIO(), io.BytesIO()
    script = f"#!/bin/bash\n{JAVA.format('17.0.20')}\n".encode()
    with tarfile.open(fileobj=java, mode="w:gz") as tar:
        entry = tarfile.TarInfo("jdk-17.0.20+8-jre/bin/java")
        entry.size, entry.mode = len(script), 0o755
        tar.addfile(entry, io.BytesIO(script))
    with zipfile.ZipFile(terraform, "w") as packed:
        packed.writestr("LICENSE.txt", "BUSL-1.1")
        packed.writestr("terraform", f"#!/bin/bash\n{TERRAFORM.format('1.11.4')}\n")
    return {"java": java.getvalue(), "terraform": terraform.getvalue()}


def handler(served: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    class Releases(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(served[self.path.strip("/").partition(".")[0]])

    return Releases


def test_root_gets_packages_and_uv_and_a_second_call_does_nothing(root: Machine) -> None:
    root.has_python("python3", "python3.13")
    root.has_apt("python3-venv", "openjdk-17-jre-headless", "openjdk-21-jre-headless", "chromium")
    done = root.bootstrap("java", "chromium")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "installing with apt-get: openjdk-17-jre-headless chromium",
        "installing in .venvs/uv: uv==0.13.0",
    ]
    assert root.make("uv/bin/uv").startswith("uv 0.13.0 ")
    by = "" if IS_ROOT else "sudo "
    called = [f"{by}{UPDATE}", f"noninteractive {by}{INSTALL} openjdk-17-jre-headless chromium"]
    assert root.recorded() == called
    start = time.monotonic()
    again = root.bootstrap("java", "chromium")
    assert time.monotonic() - start < 0.3
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert root.recorded() == called


def test_the_java_and_the_browser_are_those_that_the_release_has(root: Machine) -> None:
    root.has_python("python3", "python3.13")
    root.has_uv()
    root.has_apt("openjdk-21-jre-headless", "chromium-browser")
    assert root.bootstrap("java", "chromium").returncode == 0
    assert root.recorded()[-1].endswith("openjdk-21-jre-headless chromium-browser")


def test_a_python_without_pip_and_venv_gets_debians_package(root: Machine) -> None:
    root.has("python3", '[[ "$*" == *pip* ]] && exit 1; true')  # 3.9 or newer, as Debian's is: without both
    root.has_apt("python3-venv")
    root.bootstrap()
    assert root.recorded()[-1].endswith(f"{INSTALL} python3-venv")


def test_a_user_whose_sudo_asks_for_no_password_gets_packages(user: Machine) -> None:
    user.has_python("python3", "python3.13")
    user.has_uv()
    user.has_apt("openjdk-17-jre-headless")
    user.has_sudo()
    done = user.bootstrap("java")
    assert done.returncode == 0, done.stderr
    assert user.recorded() == [f"sudo {UPDATE}", f"noninteractive sudo {INSTALL} openjdk-17-jre-headless"]


def test_a_user_without_sudo_gets_uv_java_and_terraform_in_the_project(user: Machine) -> None:
    user.has_python("python3", "python3.13")
    user.has_apt("openjdk-17-jre-headless")
    user.has("java", JAVA.format("1.8.0_402"))
    user.has("terraform", TERRAFORM.format("1.5.7"))
    released = archives()
    with serving(handler(released)) as port:
        user.serves(port, released)
        done = user.bootstrap("java", "terraform")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "installing in .venvs/uv: uv==0.13.0",
        "installing in .venvs/jdk: java.tar.gz",
        "installing in .venvs/terraform-cli: terraform.zip",
    ]
    assert user.make("uv/bin/uv").startswith("uv 0.13.0 ")
    assert user.make("jdk/bin/java") == 'openjdk version "17.0.20"'
    assert user.make("terraform-cli/terraform") == "Terraform v1.11.4"
    assert user.recorded() == []
    assert {path.name for path in (user.project / ".venvs").iterdir()} == {
        *("bootstrap.log", "jdk", "terraform-cli", "uv")
    }
    assert user.bootstrap("java", "terraform").returncode == 0


def test_a_release_with_another_sum_is_refused(user: Machine) -> None:
    user.has_python("python3", "python3.13")
    user.has_uv()
    released = archives()
    with serving(handler(dict.fromkeys(released, b"something else"))) as port:
        user.serves(port, released)
        done = user.bootstrap("java", "terraform")
    assert done.returncode == 1
    assert "/java.tar.gz has not the SHA-256 of tools/releases.txt" in done.stderr
    assert not (user.project / ".venvs" / "jdk").exists()
    assert not (user.project / ".venvs" / "terraform-cli").exists()


def test_one_message_names_all_that_is_missing_with_the_commands(user: Machine) -> None:
    user.has("python3", '[[ "$*" == *pip* ]] && exit 1; true')
    user.has_apt("python3-venv", "openjdk-17-jre-headless", "chromium")  # of no use without root
    user.has("java", JAVA.format("11.0.2"))
    user.has("terraform", TERRAFORM.format("1.8.5"))
    user.has("uname", "[[ $1 == -m ]] && echo riscv64 || echo Linux")  # no release is for it
    done = user.bootstrap("java", "chromium", "terraform")
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[0] == "This machine lacks:"
    names = [line.strip() for line in lines[1:] if line.startswith("  ") and not line.startswith("    ")]
    assert [name.split()[0].strip(",") for name in names] == ["uv", "Python", "Java", "Chromium", "Terraform"]
    for system, command in (("Debian, Ubuntu", "sudo apt-get install"), ("Fedora", "sudo dnf"), ("macOS", "brew")):
        commands = [line.partition(": ")[2] for line in lines if line.startswith(f"    {system}: ")]
        assert len(commands) == len(names)
        assert [text for text in commands if not text.startswith(command)] in ([], ["see " + TERRAFORM_PAGE])
    assert user.recorded() == []


def test_the_message_has_the_address_of_a_release_that_cannot_be_reached(user: Machine) -> None:
    user.has_python("python3", "python3.13")
    user.has_uv()
    user.serves(1, archives())  # where nobody listens
    done = user.bootstrap("terraform")
    assert (done.returncode, done.stdout) == (1, "installing in .venvs/terraform-cli: terraform.zip\n")
    fetch = "curl -fsSLO http://127.0.0.1:1/terraform.zip && sudo python3 -m zipfile -e terraform.zip /usr/local/bin"
    assert f"\n    Debian, Ubuntu: {fetch} && sudo chmod +x /usr/local/bin/terraform\n" in done.stderr
    assert "Connection refused" in done.stderr


def test_python_is_in_the_message_where_uv_cannot_fetch_it(user: Machine) -> None:
    user.has_python("python3")
    user.has_uv()
    user.has("python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")  # a shim without its Python
    done = user.bootstrap(UV_PYTHON_INSTALL_MIRROR=f"file://{user.home}/nowhere")
    assert (done.returncode, done.stdout) == (1, "installing with uv: Python 3.13\n")
    assert "\n  Python 3.13\n" in done.stderr
    assert "Failed to install cpython-3.13" in done.stderr
    assert "Java" not in done.stderr


def test_where_nothing_may_be_installed_it_only_reports(user: Machine) -> None:
    user.has_python("python3", "python3.13")
    user.has_apt("openjdk-17-jre-headless")
    user.has_sudo()
    done = user.bootstrap("java", CSAT_INSTALL="never")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("This machine lacks:\n  uv, ")
    assert done.stderr.endswith("\nNothing was installed, because of CSAT_INSTALL=never.\n")
    assert not (user.project / ".venvs").exists()
    assert user.recorded() == []
    user.has_uv()
    user.has("java", JAVA.format("17.0.15"))
    done = user.bootstrap("java", CSAT_INSTALL="never")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_wrong_arguments_are_refused(user: Machine) -> None:
    done = user.bootstrap(CSAT_INSTALL="no")
    assert (done.returncode, done.stderr) == (1, "CSAT_INSTALL=no is neither auto nor never\n")
    assert user.bootstrap("jave").returncode == 1
