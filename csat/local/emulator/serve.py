"""Starts local-bigquery with our patches and our access rules, and without a network for DuckDB's extensions.

Runs in the emulator's own environment: `python -m csat.local.emulator.serve --token-file … --port 9050 …`.
"""

import argparse
import os
import shutil
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import duckdb

from csat.local.emulator import EXTENSIONS
from csat.local.emulator.access import HOSTS, Access, let_in_by_token, token_of
from csat.local.emulator.keys import PATH, offer_key

PACKAGE, VERSION = "local-bigquery", "0.3.2"


def check_version() -> None:
    """Exit where the emulator's package has another version than the one that the patches are written for."""
    if (found := version(PACKAGE)) != VERSION:
        fix = "rm .venvs/emulator/.synced && make setup"
        sys.exit(f"error: {PACKAGE} is {found}, its patches are for {VERSION}, fix: {fix}")


def install_extensions() -> None:
    """Put DuckDB's extensions, which come as packages, where DuckDB looks for them before it downloads."""
    platform = duckdb.sql("PRAGMA platform").fetchone()[0]  # type: ignore[index]  # always one row
    folder = Path.home() / ".duckdb" / "extensions" / f"v{duckdb.__version__}" / platform
    folder.mkdir(parents=True, exist_ok=True)
    for name in EXTENSIONS:
        package = Path(str(import_module(f"duckdb_extension_{name}").__file__)).parent
        source = package / "extensions" / folder.parent.name / f"{name}.duckdb_extension"
        target = folder / source.name
        if not target.exists():
            draft = target.with_suffix(f".{os.getpid()}")
            shutil.copy(source, draft)
            draft.replace(target)


def arguments(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our own arguments, and local-bigquery's."""
    parser = argparse.ArgumentParser(
        prog="python -m csat.local.emulator.serve", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--token-file", type=Path, required=True, help="file with the token that clients must send")
    parser.add_argument("--key-file", type=Path, help="service account key to write for dbt and Google's own tools")
    parser.add_argument("--allow-host", action="append", default=[], help="name beside 127.0.0.1 and localhost")
    parser.add_argument("--port", type=int, default=9050)
    parser.add_argument("--project", default="csat-local")
    known, rest = parser.parse_known_args(words)
    return known, [*rest, "--port", str(known.port), "--project", known.project]


def let_in(own: argparse.Namespace) -> None:
    """Ask every client for the token, and offer the key where one is wanted."""
    try:
        token = token_of(own.token_file)
    except (OSError, ValueError) as error:
        sys.exit(f"error: no token for the emulator: {error}, fix: `csat up` makes it")
    answers = {}
    if own.key_file:
        answers[PATH] = offer_key(own.key_file, f"http://127.0.0.1:{own.port}", own.project, token)
    let_in_by_token(Access(token, (*HOSTS, *own.allow_host)), answers)


def main() -> None:
    """Serve until SIGTERM, with our arguments and local-bigquery's own."""
    own, words = arguments(sys.argv[1:])
    check_version()
    install_extensions()
    from csat.local.emulator import patches

    patches.apply()
    let_in(own)
    from local_bigquery.cli import main as serve

    serve(words)


if __name__ == "__main__":
    main()
