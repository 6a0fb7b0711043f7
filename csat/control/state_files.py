"""Reads and writes the state files: desired state, heartbeat, alert state, shown loss, results of commands.

They are in a folder, or at any fsspec address (gs://…).

In an object store a state file is one object, written by one request: readers see all of the old or all of the new one,
and the next reader after a write sees the new one. Of two concurrent writers the later wins; the token shows who lost.
"""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from csat.contract.errors import CsatError
from csat.control.command_result import CommandResult
from csat.control.object_store import StoreUnreachableError, read_object, write_object
from csat.control.open_alerts import AlertState
from csat.control.shown_loss import ShownLoss
from csat.control.verdict import DesiredState, Heartbeat

Model = TypeVar("Model", bound=BaseModel)


class StateFileError(CsatError):
    """A state file exists but is not valid; the message names the file."""


class StateFilesUnreachableError(StateFileError, OSError):
    """The folder or the object store did not respond, or refused: the state is unknown. The message names the fix."""


class StateFiles:
    """Reads and writes the state files of one stream, each atomically."""

    def __init__(self, uri: str) -> None:
        self._uri = uri.rstrip("/")

    def desired_state(self) -> DesiredState | None:
        """The desired state; None before the first start."""
        return self._read("desired_state.json", DesiredState)

    def heartbeat(self) -> Heartbeat | None:
        """The heartbeat; None before the first one."""
        return self._read("heartbeat.json", Heartbeat)

    def write_desired_state(self, desired_state: DesiredState) -> None:
        """Replace the desired state."""
        self._write("desired_state.json", desired_state)

    def write_heartbeat(self, heartbeat: Heartbeat) -> None:
        """Replace the heartbeat."""
        self._write("heartbeat.json", heartbeat)

    def alert_state(self) -> AlertState:
        """The alert state; empty before the first health check."""
        return self._read("alert_state.json", AlertState) or AlertState()

    def write_alert_state(self, alert_state: AlertState) -> None:
        """Replace the alert state."""
        self._write("alert_state.json", alert_state)

    def shown_loss(self) -> ShownLoss | None:
        """The loss that was shown last; None before the first."""
        return self._read("shown_loss.json", ShownLoss)

    def write_shown_loss(self, shown_loss: ShownLoss) -> None:
        """Replace the loss that was shown last."""
        self._write("shown_loss.json", shown_loss)

    def command_result(self, result_id: str) -> CommandResult | None:
        """The result with this id; None where the command has kept none, or a later one."""
        found = self._read(_result_file(result_id), CommandResult)
        return found if found and found.result_id == result_id else None

    def write_command_result(self, result: CommandResult) -> None:
        """Keep a result in place of the last one of its name."""
        self._write(_result_file(result.result_id), result)

    @contextmanager
    def alert_state_lock(self) -> Iterator[None]:
        """Keep other processes of this machine from changing the alert state. An object store has no such lock."""
        if "://" in self._uri:
            yield
            return
        Path(self._uri).mkdir(parents=True, exist_ok=True)
        with Path(self._uri, "alert_state.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # held only while two small files are read and written
            yield

    def _read(self, name: str, kind: type[Model]) -> Model | None:
        try:
            return kind.model_validate_json(self._read_text(f"{self._uri}/{name}"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreachable(f"{self._uri}/{name}", error) from error
        except (ValidationError, UnicodeDecodeError) as error:
            raise StateFileError(f"{self._uri}/{name} is not a valid {kind.__name__}; delete it") from error

    def _read_text(self, path: str) -> str:
        if "://" in path:
            return read_object(path)
        return Path(path).read_text()

    def _write(self, name: str, model: BaseModel) -> None:
        path = f"{self._uri}/{name}"
        try:
            self._replace(path, model.model_dump_json(indent=2))
        except OSError as error:
            raise _unreachable(path, error) from error

    def _replace(self, path: str, text: str) -> None:
        if "://" in path:
            write_object(path, text)
            return
        Path(self._uri).mkdir(parents=True, exist_ok=True)
        draft = Path(f"{path}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
        try:
            draft.write_text(text)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _result_file(result_id: str) -> str:
    """A file for each name, so that they do not become more and more."""
    return f"result_{result_id.partition(':')[0]}.json"


def _unreachable(path: str, error: OSError) -> StateFilesUnreachableError:
    text = str(error) if isinstance(error, StoreUnreachableError) else f"{path} cannot be accessed ({error.strerror})"
    return StateFilesUnreachableError(f"{text} (CSAT_STATE_FILES_URI)")
