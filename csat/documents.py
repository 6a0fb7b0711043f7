"""Where the control, health and watch documents live: a folder, or any address that fsspec knows (gs://…).

In an object store a document is one object, written by one request: readers see the old one or the new one, whole, and
the next reader after a write sees the new one. Of two writers at once the later wins; the token tells who has lost.
"""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from csat.health import Control, Health
from csat.store import StoreUnreachableError, read_object, write_object
from csat.watch import Watch

Document = TypeVar("Document", bound=BaseModel)


class DocumentError(Exception):
    """A document is there but is not one; the message names the file."""


class DocumentsUnreachableError(DocumentError, OSError):
    """The object store did not answer, or refused: what the documents say is not known. The message names the fix."""


class Documents:
    """Reads and writes the documents of one stream, whole or not at all."""

    def __init__(self, uri: str) -> None:
        self._uri = uri.rstrip("/")

    def control(self) -> Control | None:
        """The control document; None before the first start."""
        return self._read("control.json", Control)

    def health(self) -> Health | None:
        """The health document; None before the first beat."""
        return self._read("health.json", Health)

    def write_control(self, control: Control) -> None:
        """Replace the control document."""
        self._write("control.json", control)

    def write_health(self, health: Health) -> None:
        """Replace the health document."""
        self._write("health.json", health)

    def watch(self) -> Watch:
        """The watch document; an empty one before the first look."""
        return self._read("watch.json", Watch) or Watch()

    def write_watch(self, watch: Watch) -> None:
        """Replace the watch document."""
        self._write("watch.json", watch)

    @contextmanager
    def watch_lock(self) -> Iterator[None]:
        """Keep other processes of this machine from changing the watch document. An object store has no such lock."""
        if "://" in self._uri:
            yield
            return
        Path(self._uri).mkdir(parents=True, exist_ok=True)
        with Path(self._uri, "watch.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # held for the time of two small files
            yield

    def _read(self, name: str, kind: type[Document]) -> Document | None:
        try:
            text = self._read_text(f"{self._uri}/{name}")
        except FileNotFoundError:
            return None
        except StoreUnreachableError as error:
            raise DocumentsUnreachableError(f"{error} (CSAT_DOCUMENTS_URI)") from error
        try:
            return kind.model_validate_json(text)
        except ValidationError as error:
            raise DocumentError(f"{self._uri}/{name} is not a {kind.__name__} document; delete it") from error

    def _read_text(self, path: str) -> str:
        if "://" in path:
            return read_object(path)
        return Path(path).read_text()

    def _write(self, name: str, document: BaseModel) -> None:
        text = document.model_dump_json(indent=2)
        path = f"{self._uri}/{name}"
        if "://" in path:
            try:
                write_object(path, text)
            except StoreUnreachableError as error:
                raise DocumentsUnreachableError(f"{error} (CSAT_DOCUMENTS_URI)") from error
            return
        Path(self._uri).mkdir(parents=True, exist_ok=True)
        draft = Path(f"{path}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
        try:
            draft.write_text(text)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
