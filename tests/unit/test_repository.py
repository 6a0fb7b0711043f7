"""Rules that hold for the repository as a whole."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from csat.contract.settings import ROOT, environment

# In pieces, so that this file does not hold what it looks for.
REGISTRY_HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "maven" + ".org",
    "maven" + ".apache.org",
    "maven" + ".google.com",
    "npmjs" + ".org",
    "proxy" + ".golang.org",
    "packages" + ".confluent.io",
    "registry" + ".terraform.io",
]
LOCKS = sorted((ROOT / "locks").glob("*.txt"))


def git(*arguments: str) -> list[str]:
    """Lines of git's answer; none where it found nothing."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()


def tracked(pattern: str) -> list[Path]:
    return [Path(line) for line in git("ls-files", pattern)]


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_no_file_names_the_host_of_a_package_registry(host: str) -> None:
    assert git("grep", "--files-with-matches", "--fixed-strings", "--ignore-case", host) == []


def test_no_lock_names_an_address() -> None:
    assert LOCKS
    assert [path.name for path in LOCKS if "://" in path.read_text() or "--index-url" in path.read_text()] == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_every_requirement_of_a_lock_has_a_hash(path: Path) -> None:
    requirements = re.split(r"\n(?=\S)", path.read_text().strip())
    assert len(requirements) > (0 if path.stem == "bootstrap" else 5)
    assert [text.split()[0] for text in requirements if "--hash=sha256:" not in text] == []


def make(*arguments: str, **variables: str) -> list[str]:
    """Lines of make's answer."""
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def test_what_make_starts_may_write_bytecode_and_has_the_projects_own_uv() -> None:
    lines = make("--silent", "--eval", "variables: ; @env", "variables", PYTHONDONTWRITEBYTECODE="1")
    assert [line for line in lines if line.startswith(f"PATH={ROOT}/.venvs/uv/bin:")]
    assert [line for line in lines if line.startswith("PYTHONDONTWRITEBYTECODE")] == []


@pytest.mark.parametrize(
    ("target", "needs"),
    [
        ("down", ""),
        ("cloud-costs", ""),
        ("demo", " java"),
        ("check", " java terraform"),
        ("lint", " terraform"),
        ("cloud-plan", " terraform"),
        ("cloud-deploy", " java terraform"),
        ("test-integration", " java chromium"),
        ("test", " java chromium terraform"),
        ("bench", ""),
        ("bench NAME=stream", " java"),
        ("bench NAME=dashboard", " java chromium"),
    ],
)
def test_make_first_installs_what_a_target_needs(target: str, needs: str) -> None:
    lines = [line.strip() for line in make("--dry-run", "--always-make", *target.split(), NAME="of-the-machine")]
    assert " ".join(lines[0].split()) == f"tools/bootstrap{needs}"
    assert [line for line in lines[1:] if "tools/bootstrap" in line and "shellcheck" not in line] == []


@pytest.mark.parametrize(("name", "package"), [("pipeline", "dbt-core==1.11.16"), ("spark", "pyspark==4.2.0")])
def test_pins_of_what_runs_are_those_of_the_development_environment(name: str, package: str) -> None:
    lock, development = ((ROOT / "locks" / f"{file}.txt").read_text() for file in (name, "dev"))
    pins = re.findall(r"^\S+==\S+", lock, re.MULTILINE)
    assert package in pins
    assert [pin for pin in pins if not re.search(rf"^{re.escape(pin)}(\s|$)", development, re.MULTILINE)] == []


def test_dbt_folder_holds_no_python() -> None:
    # Python there would hide dbt-core, or be imported by it.
    assert tracked("dbt/*.sql")
    assert tracked("dbt/*.py") == []


def test_no_dag_and_no_package_begins_with_dbt() -> None:
    # dbt imports every top-level module of such a name that it finds.
    assert tracked("dags/*.py")
    assert [path for path in tracked("*.py") if path.parts[0].startswith("dbt_")] == []
    assert [path for path in tracked("dags/*") if path.name.startswith("dbt_")] == []


def test_every_package_is_in_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    found = {path.parts[0] for path in tracked("*/__init__.py") if len(path.parts) == 2}
    assert found - {"tests"} == set(packages)


def test_no_test_is_skipped() -> None:
    # A test that does not run proves nothing: make setup brings what it needs.
    words = ["pytest" + ".skip", "mark" + ".skip", "import" + "orskip", "unittest" + ".skip"]
    patterns = [argument for word in words for argument in ("-e", word)]
    assert git("grep", "--line-number", "--fixed-strings", *patterns, "--", "tests") == []


def test_uv_has_the_same_version_in_the_images() -> None:
    [pinned] = re.findall(r"^uv==(\S+)", (ROOT / "locks" / "bootstrap.txt").read_text(), re.MULTILINE)
    assert f"/uv:{pinned} AS" in (ROOT / "docker" / "Dockerfile").read_text()


def test_every_image_has_a_state_folder_that_its_user_may_write() -> None:
    """A Cloud Run job sets no folder, and the sources' folder is not its user's."""
    text = (ROOT / "docker" / "Dockerfile").read_text()
    [folder] = re.findall(r"CSAT_STATE_DIR=(\S+)", text)
    [(made, owner)] = re.findall(r"WORKDIR (\S+)\nRUN useradd .*?chown -R (\w+):\w+ \.", text, re.DOTALL)
    assert (made, owner) == (folder, "csat")


WORKFLOWS = "".join(path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml"))


def test_every_action_is_pinned_by_its_commit() -> None:
    used = re.findall(r"uses: (.+)", WORKFLOWS)
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_workflow_calls_what_people_call() -> None:
    targets = re.findall(r"^\.?([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    commands = re.findall(r"run: (.+)", WORKFLOWS)
    assert ".ci/run" in commands
    assert {command.split()[1] for command in commands if command.startswith("make ")} <= set(targets)


def test_every_linter_is_called_by_make_lint_or_by_the_workflow() -> None:
    makefile = (ROOT / "Makefile").read_text()
    [called] = re.findall(r"^lint: (.+?) ##", makefile, re.MULTILINE)
    linters = set(re.findall(r"^(lint-[a-z]+):", makefile, re.MULTILINE))
    assert "lint-checkov" in linters
    assert linters - set(called.split()) - set(re.findall(r"run: make (\S+)", WORKFLOWS)) == set()


def test_every_path_of_the_code_owners_exists() -> None:
    lines = (ROOT / ".github" / "CODEOWNERS").read_text().splitlines()
    rules = [line.split() for line in lines if line and not line.startswith("#")]
    assert rules[0][0] == "*"
    assert len(rules) > 5
    assert [rule for rule in rules if len(rule) < 2 or not rule[1].startswith("@")] == []
    paths = [rule[0] for rule in rules[1:]]
    assert [path for path in paths if not path.startswith("/")] == []
    assert [path for path in paths if not (ROOT / path.strip("/")).exists()] == []
    assert [path for path in paths if path.endswith("/") != (ROOT / path.strip("/")).is_dir()] == []


def test_pre_commit_calls_the_linters_of_make_for_files_that_exist() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    [linters] = re.findall(r"^lint: (.+?) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    called = [target for hook in hooks for target in hook["entry"].removeprefix("make ").split()]
    assert sorted(called) == sorted(linters.split())
    assert {hook["language"] for hook in hooks} == {"system"}
    files = git("ls-files")
    patterns = [part for hook in hooks if "files" in hook for part in re.split(r"\|(?![^(]*\))", hook["files"])]
    assert len(patterns) > len(hooks)
    assert [pattern for pattern in patterns if not any(re.search(pattern, file) for file in files)] == []
