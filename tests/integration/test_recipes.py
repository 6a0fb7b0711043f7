"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the tree: every check passes afterwards."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from csat.contract.settings import ROOT
from tests.documents import Block, section, tracked_files

pytestmark = pytest.mark.integration

CONTRIBUTING = Path("CONTRIBUTING.md")
RECIPES = ("### Add a field", "### Add a mart")
ENVIRONMENTS = (".venv", ".venvs/sqlcheck", ".venvs/uv")
# `cache` holds the analyser, compiled: half a minute of both cores
PARTS_OF_AN_ENVIRONMENT = {
    "bin",
    "cache",
    "etc",
    "include",
    "lib",
    "lib64",
    "lock.txt",
    "share",
    "pyvenv.cfg",
    ".synced",
}
# Of `make check`, what finds a step left out or taken wrong.
CHECKS = (
    "make lint-generated lint-sql",
    "grep -q 'csat/marts/differences.py, agg_channel_daily' .venvs/sqlcheck/queries.json",  # it is reconciled
    ".venv/bin/sqlfluff lint --disable-progress-bar dbt/models/marts/agg_channel_daily.sql",
    ".venv/bin/dbt-bouncer --config-file dbt/dbt-bouncer.yml",
    ".venv/bin/ruff check --quiet . && .venv/bin/ruff format --check --quiet .",
    ".venv/bin/python -m pytest -q tests/unit/contract/test_contract.py tests/unit/spark/test_transform.py"
    " tests/unit/producer/test_simulate.py tests/unit/producer/test_from_csv.py",
)

Shell = Callable[[str], None]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, whose environments are links to ours; what the checks write there stays in the copy."""
    tree: Path = tmp_path_factory.mktemp("tree")
    for path in tracked_files():
        (tree / path.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tree / path)
    for name in ENVIRONMENTS:
        (tree / name).mkdir(parents=True)
        for entry in (ROOT / name).iterdir():
            if entry.name in PARTS_OF_AN_ENVIRONMENT:
                (tree / name / entry.name).symlink_to(entry)
    return tree


@pytest.fixture(scope="module")
def shell(tree: Path) -> Shell:
    """Runs a command in the copy, as a person would."""

    def run(command: str) -> None:
        words = ["bash", "-eu", "-o", "pipefail", "-c", command]
        done = subprocess.run(words, cwd=tree, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"

    return run


def test_recipes_of_a_field_and_a_mart_work_as_written(tree: Path, shell: Shell) -> None:
    for recipe in RECIPES:
        blocks = section(CONTRIBUTING, recipe)
        assert len(blocks) >= 2, recipe
        for block in blocks:
            follow(block, tree, shell)
    for check in CHECKS:
        shell(check)


def follow(block: Block, tree: Path, shell: Shell) -> None:
    """Do what a block of a recipe says: change a file, write a new one, or run commands."""
    if block.language == "sh":
        shell(block.text)
        return
    file = tree / block.file
    if block.language == "diff":
        file.write_text(changed(file.read_text(), block))
    else:
        assert not file.exists(), f"{block.place}: {block.file} is there"
        file.write_text(block.text)


def changed(text: str, block: Block) -> str:
    """The text after the hunks of a diff, which have no line numbers: what they change is there once."""
    for hunk in block.text.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        before, after = ("".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +"))
        assert text.count(before) == 1, f"{block.place}: not once in {block.file}:\n{before}"
        text = text.replace(before, after)
    return text
