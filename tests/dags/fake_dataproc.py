"""Dataproc's batches and their logs in a test's memory, behind Google's own clients."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.cloud.dataproc_v1 import BatchControllerClient, types
from google.cloud.dataproc_v1.services.batch_controller.transports import BatchControllerGrpcTransport
from google.cloud.logging_v2 import types as logs
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

from csat.airflow.backends.dataproc import DataprocBackend
from csat.contract.settings import Settings
from tests.dags.google_server import Method, RefusalError, serve

PARENT = "projects/shop/locations/europe-west1"
ALIVE = {types.Batch.State.PENDING, types.Batch.State.RUNNING, types.Batch.State.CANCELLING}
State = types.Batch.State


class Cloud:
    """The batches of a region and their logs; `refusal` is the error response of each method."""

    def __init__(self) -> None:
        self.batches: dict[str, types.Batch] = {}
        self.requests: list[types.CreateBatchRequest] = []
        self.calls: list[str] = []
        self.lines: list[str] = []
        self.log_filter = ""
        self.refusals: dict[str, RefusalError] = {}
        self.at_calls: dict[str, Callable[[], None]] = {}
        self.state_after_cancel: Any = State.CANCELLED
        self.released = threading.Event()

    def add(self, token: str, state: int, stream: str = "csat", message: str = "") -> types.Batch:
        name = f"{PARENT}/batches/{stream}-{token}"
        labels = {"stream": stream, "token": token}
        batch = types.Batch(
            name=name, labels=labels, state=state, state_message=message, operation=f"{PARENT}/operations/{token}"
        )
        self.batches[name] = batch
        return batch

    def create(self, request: types.CreateBatchRequest) -> operations_pb2.Operation:
        self._record("create")
        self.requests.append(request)
        if f"{request.parent}/batches/{request.batch_id}" in self.batches:
            raise RefusalError(grpc.StatusCode.ALREADY_EXISTS, f"{request.batch_id} exists")
        self.add(request.batch.labels["token"], State.PENDING, request.batch.labels["stream"])
        return operations_pb2.Operation(name=f"{PARENT}/operations/{request.batch.labels['token']}")

    def get(self, request: types.GetBatchRequest) -> types.Batch:
        self._record("get")
        if request.name not in self.batches:
            raise RefusalError(grpc.StatusCode.NOT_FOUND, request.name)
        return self.batches[request.name]

    def list(self, request: types.ListBatchesRequest) -> types.ListBatchesResponse:
        self._record("list")
        assert (request.parent, request.order_by) == (PARENT, "create_time desc")
        stream = request.filter.removeprefix("labels.stream = ")
        found = [batch for batch in reversed(self.batches.values()) if batch.labels["stream"] == stream]
        return types.ListBatchesResponse(batches=found[: request.page_size], next_page_token="more")

    def cancel(self, request: operations_pb2.CancelOperationRequest) -> empty_pb2.Empty:
        self._record(f"cancel {request.name.rpartition('/')[2]}")
        for batch in self.batches.values():
            if batch.operation == request.name:
                if batch.state not in ALIVE:
                    raise RefusalError(grpc.StatusCode.FAILED_PRECONDITION, "it has ended")
                batch.state = self.state_after_cancel
        return empty_pb2.Empty()

    def entries(self, request: logs.ListLogEntriesRequest) -> logs.ListLogEntriesResponse:
        self._record("logs")
        self.log_filter = request.filter
        assert (list(request.resource_names), request.order_by) == (["projects/shop"], "timestamp desc")
        newest_first = [logs.LogEntry(text_payload=line) for line in reversed(self.lines)]
        return logs.ListLogEntriesResponse(entries=newest_first[: request.page_size], next_page_token="more")

    def _record(self, call: str) -> None:
        self.calls.append(call)
        self.at_calls.pop(call, lambda: None)()
        refusal = self.refusals.get(call.split()[0])
        if refusal is not None and refusal.code is grpc.StatusCode.DEADLINE_EXCEEDED:
            self.released.wait(30)
        if refusal is not None:
            raise refusal


@contextmanager
def dataproc(cloud: Cloud, sleep: Callable[[float], None]) -> Iterator[Callable[[Settings], DataprocBackend]]:
    """Makes backends of this cloud."""
    services = {
        "google.cloud.dataproc.v1.BatchController": {
            "CreateBatch": Method(types.CreateBatchRequest, cloud.create),
            "GetBatch": Method(types.GetBatchRequest, cloud.get),
            "ListBatches": Method(types.ListBatchesRequest, cloud.list),
        },
        "google.longrunning.Operations": {
            "CancelOperation": Method(operations_pb2.CancelOperationRequest, cloud.cancel)
        },
        "google.logging.v2.LoggingServiceV2": {
            "ListLogEntries": Method(logs.ListLogEntriesRequest, cloud.entries),
        },
    }
    with serve(services) as channel:
        batches = BatchControllerClient(transport=BatchControllerGrpcTransport(channel=channel))
        entries = LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))
        try:
            yield lambda settings: DataprocBackend(settings, lambda _: batches, lambda: entries, sleep)
        finally:
            cloud.released.set()
