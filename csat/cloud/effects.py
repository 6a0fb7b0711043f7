"""The side effects of a deploy: files in buckets, commands on this machine, and downloaded jars."""

import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from csat.contract.errors import CsatError
from csat.contract.google_errors import fix_of, text_of
from csat.contract.settings import ROOT, environment
from csat.control.object_store import open_store

_COMMAND_SECONDS = 3600  # Composer takes half an hour to install a package


@dataclass(frozen=True)
class Effects:
    """The side effects of the steps: files in buckets, commands on this machine, and jars."""

    upload: Callable[[Path, str], None]
    write: Callable[[str, str], None]
    command: Callable[[Sequence[str], Mapping[str, str]], None]
    output_of: Callable[[Sequence[str]], str]
    jars: Callable[[], list[Path]]


def upload(path: Path, uri: str) -> None:
    """Copy a file to an fsspec address. Raises CsatError."""
    from fsspec.implementations.local import LocalFileSystem

    try:
        store, target = open_store(uri)
        if isinstance(store, LocalFileSystem):  # a bucket has no folders, and to look for it takes a right on it
            store.makedirs(target.rpartition("/")[0], exist_ok=True)
        store.put_file(str(path), target)
    except Exception as error:  # every store raises its own types
        raise CsatError(
            f"{path.name} was not uploaded to {uri} ({type(error).__name__}: {text_of(error)})",
            fix_of(error) or "run gcloud auth application-default login, as someone who may write the bucket",
        ) from error


def write(uri: str, text: str) -> None:
    """Write a text to an fsspec address. Raises CsatError."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / uri.rpartition("/")[2]
        path.write_text(text)
        upload(path, uri)


def command(arguments: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run a command on this machine with its output on the terminal. Raises CsatError."""
    _run(arguments, variables, is_captured=False)


def output_of(arguments: Sequence[str]) -> str:
    """The output of a command on this machine. Raises CsatError."""
    return str(_run(arguments, {}, is_captured=True).stdout)


def _run(
    arguments: Sequence[str], variables: Mapping[str, str], *, is_captured: bool
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            arguments,
            cwd=ROOT,
            env=environment(**variables),
            stdout=subprocess.PIPE if is_captured else None,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=True,
        )
    except FileNotFoundError as error:
        raise CsatError(f"{arguments[0]} is missing: install it and run make cloud-deploy again") from error
    except subprocess.SubprocessError as error:
        raise CsatError(
            f"{shlex.join(arguments)} failed: fix the error above and run make cloud-deploy again"
        ) from error
