"""Write the files that are derived from code: `python -m tools.generate`.

With --check it changes nothing. Exit code 1: a file is out of date.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from difflib import unified_diff
from pathlib import Path

from csat.contract.landing import bigquery_schema_json
from csat.contract.settings import ROOT, env_example
from csat.marts.manifest import published_marts, read_manifest
from csat.reporting.variables import with_values
from tools.bench.results import fill_in
from tools.bench.scaling.document import document_parts

_INDEX_HEAD = "| number | decision |\n| --- | --- |\n"

Generator = Callable[[Path], str]


def decisions_index(index: Path) -> str:
    """The index with a row for each record beside it. Raises ValueError where its table has no head."""
    introduction, head, _ = index.read_text().partition(_INDEX_HEAD)
    if not head:
        raise ValueError(f"{index} has no line {_INDEX_HEAD.splitlines()[0]!r}")
    return introduction + head + "".join(_index_row(record) for record in sorted(index.parent.glob("[0-9]*.md")))


def _index_row(record: Path) -> str:
    heading = record.read_text().partition("\n")[0]
    number, _, title = heading.removeprefix("# ").partition(": ")
    return f"| [{number}]({record.name}) | {title} |\n"


def published_marts_json() -> str:
    """The marts that readers outside see, by dbt's manifest in .venv/dbt."""
    return json.dumps(published_marts(read_manifest(ROOT / ".venv" / "dbt"))) + "\n"


# By their paths in the repository: what returns a file's text. Those that keep a part of it read the file first.
GENERATORS: dict[str, Generator] = {
    ".env.example": lambda _: env_example(),
    "csat/contract/landing_schema.json": lambda _: bigquery_schema_json(),
    "csat/airflow/published_marts.json": lambda _: published_marts_json(),
    "docs/decisions/README.md": decisions_index,
    "docs/metrics.md": lambda page: with_values(page.read_text()),
    "docs/scaling.md": lambda page: fill_in(page.read_text(), document_parts()),
}


def outdated(root: Path, generators: Mapping[str, Generator]) -> Iterator[tuple[str, str, str]]:
    """The name, the present and the new text of each file that is missing or out of date; missing ones have no text."""
    for name, generate in generators.items():
        path = root / name
        new = generate(path)
        present = path.read_text() if path.exists() else ""
        if new != present:
            yield name, present, new


def check(root: Path, generators: Mapping[str, Generator]) -> int:
    """Print what is out of date and how it differs; returns the exit code."""
    found = list(outdated(root, generators))
    for name, present, new in found:
        lines = unified_diff(present.splitlines(), new.splitlines(), name, "generated", lineterm="", n=0)
        print(f"{name} is out of date, fix: make generated", *lines, sep="\n")
    return 1 if found else 0


def write(root: Path, generators: Mapping[str, Generator]) -> None:
    """Write what is out of date, and print the names."""
    for name, _, new in outdated(root, generators):
        (root / name).write_text(new)
        print(f"wrote {name}")


def main() -> int:
    """Write or check all generated files; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only report what is out of date")
    if parser.parse_args().check:
        return check(ROOT, GENERATORS)
    write(ROOT, GENERATORS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
