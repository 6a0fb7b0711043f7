"""What a deploy touches: files in buckets, commands of this machine, and the jars that are fetched."""

import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from csat.settings import ROOT, environment

_COMMAND_SECONDS = 3600  # Composer takes half an hour to install a package


class DeployError(Exception):
    """A step failed; the message names it and the fix."""


@dataclass(frozen=True)
class Edge:
    """What the steps touch: files in buckets, commands on this machine, and the builds."""

    upload: Callable[[Path, str], None]
    write: Callable[[str, str], None]
    command: Callable[[Sequence[str], Mapping[str, str]], None]
    ask: Callable[[Sequence[str]], str]
    jars: Callable[[], list[Path]]


def upload(path: Path, uri: str) -> None:
    """Copy a file to an address of fsspec's. Raises DeployError."""
    from fsspec.core import url_to_fs

    try:
        store, target = url_to_fs(uri)
        store.makedirs(target.rpartition("/")[0], exist_ok=True)
        store.put_file(str(path), target)
    except Exception as error:  # every store has its own
        raise DeployError(
            f"{path.name} was not uploaded to {uri} ({type(error).__name__}: {error}): gcloud auth "
            "application-default login, as someone who may write the bucket"
        ) from error


def write(uri: str, text: str) -> None:
    """Write a text to an address of fsspec's. Raises DeployError."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / uri.rpartition("/")[2]
        path.write_text(text)
        upload(path, uri)


def command(words: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run a command of this machine, its output on the terminal. Raises DeployError."""
    _run(words, variables, is_captured=False)


def ask(words: Sequence[str]) -> str:
    """What a command of this machine says. Raises DeployError."""
    return str(_run(words, {}, is_captured=True).stdout)


def _run(words: Sequence[str], variables: Mapping[str, str], *, is_captured: bool) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words,
            cwd=ROOT,
            env=environment(**variables),
            stdout=subprocess.PIPE if is_captured else None,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=True,
        )
    except FileNotFoundError as error:
        raise DeployError(f"{words[0]} is missing: install it and run make cloud-deploy again") from error
    except subprocess.SubprocessError as error:
        raise DeployError(f"{shlex.join(words)} failed: mend what it says and run make cloud-deploy again") from error
