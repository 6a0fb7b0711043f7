"""The SHA-256 sums that the jars must have: neither a repository nor a cache is trusted.

`jars.sha256` is written by `make lock-jars` and `make lock-jars-dataproc`, in the form of sha256sum: a sum, two blanks,
folder/name.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from csat.contract.errors import CsatError

FILE = Path(__file__).with_name("jars.sha256")

Sums = Mapping[str, str]  # by folder/name


def pinned(file: Path = FILE) -> dict[str, str]:
    """The sums in the file."""
    lines = (line.split("  ", 1) for line in file.read_text().splitlines())
    return {name: digest for digest, name in lines}


def sums(jars: Path, folder: str) -> dict[str, str]:
    """The sums of the jars there, by the names that they have in `folder`."""
    return {f"{folder}/{jar.name}": hashlib.sha256(jar.read_bytes()).hexdigest() for jar in sorted(jars.glob("*.jar"))}


def require(folder: str, wanted: Sums, target: str) -> Sums:
    """The sums that are pinned for `folder`. Raises CsatError if none is; `target` of make pins them."""
    expected = {name: digest for name, digest in wanted.items() if name.startswith(f"{folder}/")}
    if not expected:
        raise CsatError(f"no sums are pinned for {folder}", f"make {target}, and read what it wrote to {FILE}")
    return expected


def check(found: Sums, folder: str, wanted: Sums, target: str) -> None:
    """Raise CsatError if the jars of `folder` are not exactly the pinned ones."""
    expected = require(folder, wanted, target)
    for name in sorted(found.keys() | expected.keys()):
        has, wants = found.get(name, "no file"), expected.get(name, "nothing")
        if has != wants:
            raise CsatError(
                f"{name} is not the pinned jar: its SHA-256 is {has}, and {wants} is pinned",
                f"find out who changed it; after a new version that you chose yourself, make {target}",
            )


def write(found: Sums, folders: set[str], file: Path = FILE) -> None:
    """Replace the sums of these folders in the file."""
    kept = {name: digest for name, digest in pinned(file).items() if name.partition("/")[0] not in folders}
    file.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted({**kept, **found}.items())))
