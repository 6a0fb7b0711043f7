"""Passwords and keys of the local stack: created at the first start, stored in files that only the owner can read."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from csat.bigquery import login as bigquery_login
from csat.contract.settings import Settings


def bigquery_token(settings: Settings) -> Path:
    """The file with the token that the emulator requires of its clients; created if it is missing."""
    secret(settings.state, bigquery_login.TOKEN_NAME)
    return bigquery_login.token_file(settings)


def secret(state: Path, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> str:
    """The secret of this name; created if it is missing."""
    path = state / "secrets" / name
    if not path.exists():
        write_private(path, make())
    return path.read_text().strip()


def private_folder(path: Path) -> Path:
    """The folder, created if it is missing; only its owner may enter it, even if it was open before."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically; only its owner may read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
