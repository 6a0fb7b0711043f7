"""Checks recorded statements: `python -m tools.sqlcheck <recording> …`, in the environment .venvs/sqlcheck.

A recording can use the tables that earlier recordings create.

Exit code 1: BigQuery would reject a statement. 2: a recording or the schema of a source is missing.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.sqlcheck.analyser import Analyser
from tools.sqlcheck.checker import Checker
from tools.sqlcheck.recording import Recording
from tools.sqlcheck.schemas import SchemaError, source_columns
from tools.sqlcheck.wasm import Service


def findings(recordings: Sequence[Recording]) -> Iterator[tuple[str, str]]:
    """The origin and the message of everything that BigQuery would reject. Raises SchemaError."""
    analyser = Analyser(Service(), recordings[0].project)
    for name, schema in [source for recording in recordings for source in recording.sources.items()]:
        analyser.add_table(name, source_columns(schema))
    checker = Checker(analyser)
    for statement in [statement for recording in recordings for statement in recording.statements]:
        if statement.contract is None:
            messages = checker.check(statement.sql)
        else:
            messages = checker.check_contract(statement.sql, statement.contract)
        for message in messages:
            yield statement.origin, message


def main() -> int:
    """Check the recordings that the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.sqlcheck", description=__doc__.splitlines()[0])
    parser.add_argument("recordings", type=Path, nargs="+", metavar="recording", help="file that a recorder wrote")
    paths: list[Path] = parser.parse_args().recordings
    try:
        recordings = [Recording.model_validate_json(path.read_text()) for path in paths]
        found = list(dict.fromkeys(findings(recordings)))
    except (OSError, ValueError, SchemaError) as error:
        print(f"sqlcheck: {error}", file=sys.stderr)
        return 2
    for origin, message in found:
        print(f"{origin}: {message}")
    print(f"{sum(len(recording.statements) for recording in recordings)} statements checked, {len(found)} refused")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
