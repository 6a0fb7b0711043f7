"""The repository's Markdown documents, as tests read them."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from csat.contract.settings import ROOT

_FENCE = re.compile(r"^( *)(`{3,})([\w-]*) ?(\S*)$")
# Descriptions of columns, which dbt reads, and the form that GitHub puts into a new pull request
_NO_DOCUMENTS = {"dbt/models/columns.md", ".github/pull_request_template.md"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and what follows it, such as a file's name; `line` is that of the fence."""

    place: str
    language: str
    file: str
    text: str


def tracked_files() -> list[Path]:
    """Files of the repository by their path in it, those not yet committed too."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return [Path(name) for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def documents() -> list[Path]:
    """Every Markdown document, by its path in the repository."""
    return [path for path in tracked_files() if path.suffix == ".md" and str(path) not in _NO_DOCUMENTS]


def read(document: Path) -> tuple[str, list[Block]]:
    """The text outside of fenced blocks, its lines where they were, and the blocks without their indentation."""
    prose, blocks = [], []
    lines = iter(enumerate((ROOT / document).read_text().splitlines(), start=1))
    for number, line in lines:
        prose.append("")
        opening = _FENCE.match(line)
        if not opening:
            prose[-1] = line
            continue
        indent, fence, language, file = opening.groups()
        inside = []
        for _, text in lines:
            prose.append("")
            if text == indent + fence:
                break
            inside.append(text.removeprefix(indent))
        blocks.append(Block(f"{document}:{number}", language, file, "\n".join(inside) + "\n"))
    return "\n".join(prose), blocks


def section(document: Path, title: str) -> list[Block]:
    """The blocks between this heading and the next of its level or above."""
    text = (ROOT / document).read_text()
    _, _, rest = text.partition(f"\n{title}\n")
    assert rest, f"{document} has no heading {title}"
    level = len(title) - len(title.lstrip("#"))
    body = re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    first = text.index(body)
    begin, end = (text[:at].count("\n") + 1 for at in (first, first + len(body)))
    return [block for block in read(document)[1] if begin <= int(block.place.rpartition(":")[2]) <= end]
