"""Passwords and keys of the local stack: made at the first start, kept in files that only the owner reads."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from csat.bigquery import login as bigquery_login
from csat.contract.settings import Settings


def bigquery_token(settings: Settings) -> Path:
    """The file with the token that the emulator wants of its clients; made and kept where it is new."""
    secret(settings.state, bigquery_login.TOKEN_NAME)
    return bigquery_login.token_file(settings)


def secret(state: Path, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> str:
    """The secret of this name; made and kept where it is new."""
    path = state / "secrets" / name
    if not path.exists():
        write_private(path, make())
    return path.read_text().strip()


def private_folder(path: Path) -> Path:
    """The folder, made where it is new, that only its owner may enter: also one that was made wider before."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def write_private(path: Path, text: str) -> None:
    """Replace a file, whole or not at all, that only its owner may read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
