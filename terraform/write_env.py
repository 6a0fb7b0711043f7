"""Writes .env from `terraform output -json env_vars` on standard input: `make cloud-env` calls it.

What is in an existing .env (passwords, your own changes) is replaced only after a yes on the terminal.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from csat.contract.settings import Settings
from csat.local.secret_files import write_private


def env_text(variables: Mapping[str, str]) -> str:
    """The text of .env. Raises ValueError where csat has no such setting."""
    known = {f"CSAT_{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(set(variables) - known)
    if unknown:
        raise ValueError(f"csat has no setting {', '.join(unknown)}: apply this version's terraform/ first")
    if not variables:
        raise ValueError("Terraform has no env_vars yet: make cloud-apply")
    lines = [f"{name}={value}" for name, value in sorted(variables.items())]
    return "\n".join(
        ["# Written by make cloud-env from Terraform's outputs. The other settings: .env.example", *lines, ""]
    )


def may_replace(path: Path, terminal: Path) -> bool:
    """Whether the file is not there, or a person at the terminal says yes: standard input is taken by the outputs."""
    if not path.exists():
        return True
    try:
        with terminal.open("r+b", buffering=0) as person:
            person.write(f"{path} is there. Replace it? [y/N] ".encode())
            return person.readline().strip().lower() in {b"y", b"yes"}
    except OSError:  # nobody to ask
        return False


def main() -> None:
    """Read, ask, write; every refusal names the fix."""
    parser = argparse.ArgumentParser(description="Write .env from Terraform's outputs on standard input.")
    parser.add_argument("path", type=Path, nargs="?", default=Path(".env"))
    parser.add_argument("--terminal", type=Path, default=Path("/dev/tty"), help="where to ask")
    arguments = parser.parse_args()
    path = arguments.path
    try:
        text = env_text(json.loads(sys.stdin.read() or "{}"))
    except ValueError as error:
        sys.exit(f"{path} is as it was: {error}")
    if not may_replace(path, arguments.terminal):
        sys.exit(f"{path} is as it was: move it away, or answer y on a terminal")
    write_private(path, text)  # passwords are added to it
    print(f"{path} written: {text.count('CSAT_')} settings")


if __name__ == "__main__":
    main()
