"""csat called in a Cloud Run job, against a server that speaks Google's API."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from airflow.sdk.exceptions import AirflowException
from google.cloud.run_v2 import ExecutionsClient, JobsClient
from google.cloud.run_v2 import types as run
from google.cloud.run_v2.services.executions.transports import ExecutionsGrpcTransport
from google.cloud.run_v2.services.jobs.transports import JobsGrpcTransport
from google.longrunning import operations_pb2
from google.protobuf import any_pb2

from csat.settings import Settings
from guard import alerts, command
from guard.backends import BackendError
from guard.cloud_run import CommandRun
from guard.command import CsatCommandOperator
from tests.dags.google_server import Method, RefusalError, serve

JOB = "projects/shop/locations/europe-west1/jobs/csat-commands"
RUN = f"{JOB}/executions/csat-commands-x1"
LOG = "https://console.cloud.google.com/logs/x1"


class Cloud:
    """A job whose runs end at the third look, well or not."""

    def __init__(self) -> None:
        self.words: list[list[str]] = []
        self.looks = 0
        self.is_well = True
        self.cancelled: list[str] = []
        self.refusals: list[RefusalError] = []

    def run_job(self, request: run.RunJobRequest) -> operations_pb2.Operation:
        if self.refusals:
            raise self.refusals.pop()
        assert request.name == JOB
        self.words.append(list(request.overrides.container_overrides[0].args))
        metadata = any_pb2.Any()
        metadata.Pack(run.Execution.pb(run.Execution(name=RUN)))
        return operations_pb2.Operation(name="operations/1", metadata=metadata)

    def get_execution(self, request: run.GetExecutionRequest) -> run.Execution:
        if self.refusals:
            raise self.refusals.pop()
        self.looks += 1
        end = {"completion_time": datetime.now(UTC), "succeeded_count": int(self.is_well)} if self.looks >= 3 else {}
        return run.Execution(name=request.name, log_uri=LOG, **end)

    def cancel(self, request: run.CancelExecutionRequest) -> operations_pb2.Operation:
        self.cancelled.append(request.name)
        return operations_pb2.Operation(name="operations/2")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """The cloud, and an Airflow whose settings name its job."""
    found = Cloud()
    services = {
        "google.cloud.run.v2.Jobs": {"RunJob": Method(run.RunJobRequest, lambda request: found.run_job(request))},
        "google.cloud.run.v2.Executions": {
            "GetExecution": Method(run.GetExecutionRequest, lambda request: found.get_execution(request)),
            "CancelExecution": Method(run.CancelExecutionRequest, found.cancel),
        },
    }
    with serve(services) as channel:
        jobs = JobsClient(transport=JobsGrpcTransport(channel=channel))
        executions = ExecutionsClient(transport=ExecutionsGrpcTransport(channel=channel))

        def make(job: str) -> CommandRun:
            return CommandRun(job, lambda: jobs, lambda: executions, lambda seconds: None)

        settings = Settings(_env_file=None, command_job=JOB)
        for module in (command, alerts):
            monkeypatch.setattr(module, "CommandRun", make)
            monkeypatch.setattr(module, "get_settings", lambda: settings)
        yield found


def operator(*words: str) -> CsatCommandOperator:
    return CsatCommandOperator(task_id="run", command=words)


def test_the_words_reach_csat_in_the_job_and_the_task_waits_for_its_end(cloud: Cloud) -> None:
    assert operator("marts", "build", "--json").execute({}) is None
    assert (cloud.words, cloud.looks) == ([["marts", "build", "--json"]], 3)


def test_a_run_that_fails_fails_the_task_with_the_link_to_its_log(cloud: Cloud) -> None:
    cloud.is_well = False
    with pytest.raises(AirflowException, match=f"csat marts build failed; its log: {LOG}"):
        operator("marts", "build").execute({})


def test_a_run_that_cannot_be_asked_for_a_moment_is_waited_for(cloud: Cloud) -> None:
    work = operator("marts", "build")
    run_job = cloud.run_job

    def then_silent(request: Any) -> Any:
        answer = run_job(request)
        cloud.refusals = [RefusalError(grpc.StatusCode.UNAVAILABLE)] * 19
        return answer

    cloud.run_job = then_silent  # type: ignore[method-assign]
    work.execute({})
    assert (len(cloud.words), cloud.looks) == (1, 3)


def test_a_job_that_may_not_be_run_is_an_error_that_names_the_role(cloud: Cloud) -> None:
    cloud.refusals = [RefusalError(grpc.StatusCode.PERMISSION_DENIED, "denied")]
    with pytest.raises(BackendError, match=r"csat marts was not started.*roles/run\.jobsExecutorWithOverrides"):
        operator("marts", "build").execute({})
    assert cloud.cancelled == []


def test_a_killed_task_cancels_its_run(cloud: Cloud) -> None:
    work = operator("marts", "build")
    cloud.refusals = []
    get_execution = cloud.get_execution

    def kill(request: Any) -> Any:
        work.on_kill()
        return get_execution(request)

    cloud.get_execution = kill  # type: ignore[method-assign]
    work.execute({})
    assert cloud.cancelled[0] == RUN


def test_an_alert_is_sent_by_a_run_that_nobody_waits_for(cloud: Cloud) -> None:
    alerts._call(Settings(_env_file=None, command_job=JOB), ["warning", "dag_failed", "it failed"])
    assert (cloud.words, cloud.looks) == ([["alert", "warning", "dag_failed", "it failed"]], 0)
