"""make lint-words finds retired words, and nothing in this tree."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from csat.contract.settings import ROOT

# In pieces, so that this file passes the check itself
RETIRED = {
    "an" + "ew": "from scratch",
    "answered" + "_date": "response_date",
    "bo" + "ard": "dashboard",
    "cont" + "ender": "baseline",
    "men" + "ds": "fixes",
    "to" + "ld": "notified",
    "un" + "happy": "dissatisfied",
    "un" + "well": "unhealthy",
}


def codespell(*files: Path) -> subprocess.CompletedProcess[str]:
    """The call of make lint-words, with these files instead of the repository's."""
    recipe = subprocess.run(
        ["make", "--dry-run", "lint-words"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    [command] = re.findall(r"xargs -0 (.+codespell.+)", recipe.stdout)
    words = [*shlex.split(command), *map(str, files)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("retired", "use"), RETIRED.items())
@pytest.mark.parametrize("name", ["page.md", "module.py", "model.sql", "Makefile"])
def test_a_retired_word_fails_with_the_word_to_use(tmp_path: Path, name: str, retired: str, use: str) -> None:
    file = tmp_path / name
    file.write_text(f"the {retired} of a part\n")
    done = codespell(file)
    assert done.returncode != 0
    assert f"{file}:1: {retired} ==> {use}" in done.stdout


def test_a_misspelled_word_fails(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("the " + "resp" + "once" + " time\n")
    assert "response" in codespell(file).stdout


def test_the_words_to_use_pass(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(" ".join([*RETIRED.values(), "leaderboard", "onboarding", "verdict"]) + "\n")
    done = codespell(file)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_dictionary_is_sorted_and_names_what_to_write() -> None:
    lines = (ROOT / "tools" / "retired_words.txt").read_text().splitlines()
    assert lines == sorted(set(lines))
    # With several words to choose from, codespell wants a comma at the end
    assert [line for line in lines if not re.fullmatch(r"[a-z_-]+->([^,]+|([^,]+, )+[^,]+,)", line)] == []
