"""A job of Cloud Run in a test's memory, behind Google's own clients."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from google.cloud.run_v2 import ExecutionsClient, JobsClient
from google.cloud.run_v2 import types as run
from google.cloud.run_v2.services.executions.transports import ExecutionsGrpcTransport
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport
from google.longrunning import operations_pb2
from google.protobuf import any_pb2

from csat.airflow.cloud_run import CommandRun
from csat.control.command_result import CommandResult
from csat.control.state_files import StateFiles
from tests.dags.google_server import Method, RefusalError, serve

JOB = "projects/shop/locations/europe-west1/jobs/csat-commands"
RUN = f"{JOB}/executions/csat-commands-x1"
LOG = "https://console.cloud.google.com/logs/x1"


class Cloud:
    """A job whose executions end at the third poll, successfully or not."""

    def __init__(self) -> None:
        self.arguments: list[list[str]] = []
        self.polls = 0
        self.is_well = True
        self.cancelled: list[str] = []
        self.refusals: list[RefusalError] = []
        self.variables: dict[str, str] = {}
        self.document: Any = None  # what the command keeps
        self.state_files = ""

    def run_job(self, request: run.RunJobRequest) -> operations_pb2.Operation:
        if self.refusals:
            raise self.refusals.pop()
        assert request.name == JOB
        [override] = request.overrides.container_overrides
        self.arguments.append(list(override.args))
        self.variables = {variable.name: variable.value for variable in override.env}
        if self.document is not None:
            result = CommandResult(result_id=self.variables["CSAT_RESULT_ID"], document=self.document)
            StateFiles(self.state_files).write_command_result(result)
        metadata = any_pb2.Any()
        metadata.Pack(run.Execution.pb(run.Execution(name=RUN)))
        return operations_pb2.Operation(name="operations/1", metadata=metadata)

    def get_execution(self, request: run.GetExecutionRequest) -> run.Execution:
        if self.refusals:
            raise self.refusals.pop()
        self.polls += 1
        end = {"completion_time": datetime.now(UTC), "succeeded_count": int(self.is_well)} if self.polls >= 3 else {}
        return run.Execution(name=request.name, log_uri=LOG, **end)

    def cancel(self, request: run.CancelExecutionRequest) -> operations_pb2.Operation:
        self.cancelled.append(request.name)
        return operations_pb2.Operation(name="operations/2")


@contextmanager
def cloud_run(cloud: Cloud, sleep: Callable[[float], None]) -> Iterator[Callable[[str], CommandRun]]:
    """Makes runs of a job of this cloud."""
    services = {
        "google.cloud.run.v2.Jobs": {"RunJob": Method(run.RunJobRequest, lambda request: cloud.run_job(request))},
        "google.cloud.run.v2.Executions": {
            "GetExecution": Method(run.GetExecutionRequest, lambda request: cloud.get_execution(request)),
            "CancelExecution": Method(run.CancelExecutionRequest, cloud.cancel),
        },
    }
    with serve(services) as channel:
        jobs = JobsClient(transport=JobsGrpcTransport(channel=channel))
        executions = ExecutionsClient(transport=ExecutionsGrpcTransport(channel=channel))
        yield lambda job: CommandRun(job, lambda: jobs, lambda: executions, sleep)
