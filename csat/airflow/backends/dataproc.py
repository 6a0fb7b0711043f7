"""DataprocBackend: the stream's process is a batch of Serverless for Apache Spark, found by its labels.

Only the desired state makes a batch exit cleanly; the caller of `stop` has written it before. A batch that still runs
after the grace period is cancelled in the middle of its work: the sink still lands each of its batches once.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from csat.airflow.backends.base import BackendError, Process
from csat.airflow.backends.dataproc_batch import batch_id, check_settings, new_batch, process_of
from csat.airflow.backends.google_api import errors
from csat.contract.errors import CsatError
from csat.contract.polling import poll
from csat.contract.settings import Settings
from csat.contract.version import code_version
from csat.control.release import Release

if TYPE_CHECKING:
    from google.cloud.dataproc_v1 import BatchControllerClient
    from google.cloud.dataproc_v1.types import Batch
    from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
    from google.cloud.logging_v2.types import LogEntry

_EXIT_SECONDS = 60  # two heartbeats, and the end of the batch in progress
_CANCEL_SECONDS = 120
_POLL_SECONDS = 3
_NEWEST = 20  # every start ends earlier batches: what runs is among the newest
_DATAPROC_ROLES = "roles/dataproc.serverlessEditor, and roles/iam.serviceAccountUser on CSAT_STREAM_SERVICE_ACCOUNT"
_LOGGING_ROLES = "roles/logging.viewer"


def open_batches(settings: Settings) -> "BatchControllerClient":
    """The client of the region's batches; it uses the application default credentials."""
    from google.cloud.dataproc_v1 import BatchControllerClient

    endpoint = f"{settings.region}-dataproc.googleapis.com:443"
    return BatchControllerClient(client_options={"api_endpoint": endpoint})


def open_logs() -> "LoggingServiceV2Client":
    """The client of Cloud Logging, where a batch's output is."""
    from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client

    return LoggingServiceV2Client()


class DataprocBackend:
    """Every batch has two labels: `stream`, by which it is found, and `token`, the driver's."""

    def __init__(
        self,
        settings: Settings,
        open_batches: Callable[[Settings], Any] = open_batches,
        open_logs: Callable[[], Any] = open_logs,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        check_settings(settings)
        self._settings = settings
        self._open_batches = open_batches
        self._open_logs = open_logs
        self._sleep = sleep
        self._client: Any = None
        self._started = ""  # the batch that this object started: lists may not show it at first

    def start(self, token: str) -> None:
        """Create the batch of this token, of the code that is installed here, after stopping those that still run.

        A batch of this token that exists, or is being created by another triggerer, is left as it is.
        """
        from google.api_core.exceptions import AlreadyExists
        from google.cloud.dataproc_v1.types import CreateBatchRequest

        name = batch_id(self._settings, token)
        request = CreateBatchRequest(
            parent=self._parent,
            batch=new_batch(self._settings, self._release(), token),
            batch_id=name,
            request_id=token,  # makes a retried request idempotent
        )
        self._end_others(token, _EXIT_SECONDS)
        try:
            self._call(f"the batch {name} was not created", "create_batch", request)
        except BackendError as error:
            if not isinstance(error.__cause__, AlreadyExists):
                raise
        self._started = f"{self._parent}/batches/{name}"

    def state(self) -> Process:
        """The state of the stream's newest batch."""
        newest = self._newest()
        return process_of(newest) if newest else Process(False, None, f"no batch has the label {self._label}")

    def stop(self, grace_seconds: float) -> None:
        """Wait until no batch of the stream runs; cancel those that still run after the grace period."""
        self._end_others("", grace_seconds)

    def _end_others(self, token: str, grace_seconds: float) -> None:
        """End every batch of the stream but the one with this token."""
        if self._are_gone_within(grace_seconds, token):
            return
        for batch in self._running(token):
            self._cancel(batch)
        if not self._are_gone_within(_CANCEL_SECONDS, token):
            raise BackendError(
                f"a batch with the label {self._label} still runs {_CANCEL_SECONDS} s after it was cancelled: "
                f"gcloud dataproc batches list --region={self._settings.region}"
            )

    def log_tail(self, lines: int) -> list[str]:
        """The last lines of the newest batch's driver, from Cloud Logging."""
        from google.cloud.logging_v2.types import ListLogEntriesRequest

        newest = self._newest()
        if newest is None:
            return [f"no batch has the label {self._label}"]
        request = ListLogEntriesRequest(
            resource_names=[f"projects/{self._settings.project_id}"],
            filter='resource.type="cloud_dataproc_batch" log_id("dataproc.googleapis.com/output") '
            f'resource.labels.batch_id="{newest.name.rpartition("/")[2]}"',
            order_by="timestamp desc",
            page_size=lines,
        )
        seconds = self._settings.dataproc_timeout_seconds
        with errors("the batch's output cannot be read", _LOGGING_ROLES, seconds) as limits:
            page = next(self._open_logs().list_log_entries(request, **limits).pages)
        return [_line(entry) for entry in reversed(page.entries)]

    def _cancel(self, batch: "Batch") -> None:
        try:
            self._call(f"{batch.name} was not cancelled", "cancel_operation", {"name": batch.operation})
        except BackendError:
            if any(other.name == batch.name for other in self._running()):
                raise  # else it has ended by itself

    def _are_gone_within(self, seconds: float, token: str) -> bool:
        return poll(lambda: not self._running(token), seconds, _POLL_SECONDS, self._sleep)

    def _newest(self) -> "Batch | None":
        if self._started:
            return self._get(self._started)
        return next(iter(self._list()), None)

    def _get(self, name: str) -> "Batch":
        found: Batch = self._call(f"{name} cannot be read", "get_batch", {"name": name})
        return found

    def _running(self, token: str = "") -> "list[Batch]":
        """The batches that run, but the one with this token."""
        batches = self._list()
        if self._started and all(batch.name != self._started for batch in batches):
            batches.append(self._get(self._started))
        others = [batch for batch in batches if not token or batch.labels.get("token") != token]
        return [batch for batch in others if process_of(batch).is_alive]

    def _list(self) -> "list[Batch]":
        from google.cloud.dataproc_v1.types import ListBatchesRequest

        request = ListBatchesRequest(
            parent=self._parent,
            filter=f"labels.stream = {self._settings.dataproc_name}",
            order_by="create_time desc",
            page_size=_NEWEST,
        )
        return list(next(self._call("the batches cannot be listed", "list_batches", request).pages).batches)

    def _release(self) -> Release:
        try:
            release = Release.read(self._settings.code_uri, code_version())
            release.check()
        except CsatError as error:
            raise BackendError(error.message, error.fix) from error
        return release

    @property
    def _parent(self) -> str:
        return f"projects/{self._settings.project_id}/locations/{self._settings.region}"

    @property
    def _label(self) -> str:
        return f"stream={self._settings.dataproc_name}"

    def _call(self, what: str, method: str, request: Any) -> Any:
        with errors(what, _DATAPROC_ROLES, self._settings.dataproc_timeout_seconds) as limits:
            if self._client is None:
                self._client = self._open_batches(self._settings)
            return getattr(self._client, method)(request, **limits)


def _line(entry: "LogEntry") -> str:
    return entry.text_payload or str((entry.json_payload or {}).get("message", ""))
