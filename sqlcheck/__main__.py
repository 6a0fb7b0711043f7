"""Checks recorded statements: `python -m sqlcheck <recording>`, in the environment .venvs/sqlcheck.

Exit code 1: BigQuery would refuse a statement. 2: the recording or a source's schema is not there.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from sqlcheck.analyser import Analyser
from sqlcheck.checker import Checker
from sqlcheck.recording import Recording
from sqlcheck.schemas import SchemaError, source_columns
from sqlcheck.wasm import Service


def findings(recording: Recording) -> Iterator[tuple[str, str]]:
    """The origin and the message of everything that BigQuery would refuse. Raises SchemaError."""
    analyser = Analyser(Service(), recording.project)
    for name, schema in recording.sources.items():
        analyser.add_table(name, source_columns(schema))
    checker = Checker(analyser)
    for statement in recording.statements:
        if statement.contract is None:
            messages = checker.check(statement.sql)
        else:
            messages = checker.check_contract(statement.sql, statement.contract)
        for message in messages:
            yield statement.origin, message


def main() -> int:
    """Check the recording that the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sqlcheck", description=__doc__.splitlines()[0])
    parser.add_argument("recording", type=Path, help="file that sqlcheck.record wrote")
    path: Path = parser.parse_args().recording
    try:
        recording = Recording.model_validate_json(path.read_text())
        found = list(dict.fromkeys(findings(recording)))
    except (OSError, ValueError, SchemaError) as error:
        print(f"sqlcheck: {error}", file=sys.stderr)
        return 2
    for origin, message in found:
        print(f"{origin}: {message}")
    print(f"{len(recording.statements)} statements checked, {len(found)} refused")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
