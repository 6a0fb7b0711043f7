"""Which code a driver runs: the guard recycles a stream whose code is not what is installed."""

import hashlib
from collections.abc import Iterable
from functools import cache

from csat.settings import ROOT

_FOLDERS = ("csat", "spark", "warehouse")


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
