"""The code version that a driver runs: the guard restarts a stream whose code is not the installed one."""

import hashlib
from collections.abc import Iterable
from functools import cache

from csat.contract.settings import ROOT

# What a driver imports: a changed help text of the command line must not restart the stream
_FOLDERS = ("spark", "csat/contract", "csat/control", "csat/kafka", "csat/bigquery")


@cache
def code_version() -> str:
    """Twelve hexadecimal digits of the stream's sources."""
    return sources_version(_FOLDERS)


def sources_version(folders: Iterable[str]) -> str:
    """Twelve hexadecimal digits of the Python files in these folders of the tree."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            digest.update(file.relative_to(ROOT).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
