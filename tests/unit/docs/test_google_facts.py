"""docs/google-facts.md and the code name the same facts of Google's."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

from csat.contract.settings import ROOT
from tests.documents import tracked_files

PAGE = (ROOT / "docs/google-facts.md").read_text()
FOLDERS = {"csat", "dags", "producer", "spark", "terraform", "tools"}
SUFFIXES = {".py", ".sql", ".tf"}
NOT_A_FACT = {"cloud.google.com/products/calculator", "cloud.google.com/billing"}


class Fact(NamedTuple):
    """A line of the page."""

    text: str
    source: str
    read: str
    file: str
    place: str


FACTS = [
    Fact(*found)
    for found in re.findall(
        r"^\| (.+) \| \[.+\]\(https://([^)#]+)\) \| (\S+) \| `(.+)` \| `(.+)` \|$", PAGE, re.MULTILINE
    )
]


def code() -> Iterator[str]:
    """The files whose code relies on Google's facts."""
    for name in tracked_files():
        if name.parts[0] in FOLDERS and name.suffix in SUFFIXES and "tests" not in name.parts:
            yield (ROOT / name).read_text()


def named_pages() -> set[str]:
    """The pages of Google's and GitHub's documents that the code names, without the part of a page."""
    pages = r"((?:docs\.)?cloud\.google\.com/[\w./-]+|docs\.github\.com/[\w./-]+)"
    return {page.rstrip("/.") for text in code() for page in re.findall(pages, text)}


def test_every_line_of_a_table_is_a_fact_with_a_source_and_a_place() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| fact", "| ---"))]
    assert len(lines) == len(FACTS) > 40


def test_every_fact_is_used_where_it_says() -> None:
    assert [fact for fact in FACTS if fact.place not in (ROOT / fact.file).read_text()] == []


def test_every_page_that_the_code_names_is_the_source_of_a_fact() -> None:
    assert "cloud.google.com/bigquery/quotas" in named_pages()
    assert named_pages() - {fact.source for fact in FACTS} - NOT_A_FACT == set()


def test_every_role_that_the_code_names_is_in_a_fact() -> None:
    role = r"roles/[a-z]\w+\.\w+"
    named = {found for text in code() for found in re.findall(role, text)}
    assert "roles/bigquery.dataEditor" in named
    assert named - {found for fact in FACTS for found in re.findall(role, fact.text)} == set()


def test_every_price_is_a_fact() -> None:
    costs = "csat/cloud/costs.py"
    prices = re.findall(r"^(\w+_(?:HOUR|MONTH|SECOND|TIB|1000) = [\d.]+)", (ROOT / costs).read_text(), re.MULTILINE)
    assert len(prices) > 10
    assert set(prices) - {fact.place for fact in FACTS if fact.file == costs} == set()


def test_the_page_has_a_date() -> None:
    dates = re.findall(r"as of (\d{4}-\d{2}-\d{2})", PAGE)
    assert len(dates) == 1
    assert date.fromisoformat(dates[0]) >= date(2026, 11, 29)


def test_every_fact_says_when_it_was_read_or_that_it_was_not() -> None:
    read = [fact for fact in FACTS if fact.read != "no"]
    assert len(read) > 20
    assert [
        fact for fact in read if not date(2026, 1, 1) <= date.fromisoformat(fact.read) <= datetime.now(UTC).date()
    ] == []
