"""Runs csat where Airflow has no local environment for it: as an execution of a Cloud Run job with given arguments."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_attempt, wait_fixed

from csat.airflow.backends.base import BackendError
from csat.airflow.backends.google_api import errors

if TYPE_CHECKING:
    from google.cloud.run_v2.types import Execution

_CALL_SECONDS = 30
_POLL_SECONDS = 5
_MAX_FAILURES = 20  # in a row
_ROLES = "roles/run.jobsExecutorWithOverrides and roles/run.viewer on CSAT_COMMAND_JOB"


def open_jobs() -> Any:
    """The client of Cloud Run's jobs."""
    from google.cloud.run_v2 import JobsClient

    return JobsClient()


def open_executions() -> Any:
    """The client of job executions."""
    from google.cloud.run_v2 import ExecutionsClient

    return ExecutionsClient()


class CommandRun:
    """One execution of csat in the job `job` (projects/P/locations/R/jobs/J). Every method may raise BackendError."""

    def __init__(
        self,
        job: str,
        open_jobs: Callable[[], Any] = open_jobs,
        open_executions: Callable[[], Any] = open_executions,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._job = job
        self._open_jobs = open_jobs
        self._open_executions = open_executions
        self._sleep = sleep
        self._client: Any = None
        self.name = ""

    def start(self, arguments: Sequence[str], **variables: str) -> str:
        """Start `csat <arguments>` with more environment variables; returns the execution's name."""
        from google.cloud.run_v2.types import EnvVar, RunJobRequest

        more = [EnvVar(name=name, value=value) for name, value in variables.items()]
        override = RunJobRequest.Overrides.ContainerOverride(args=list(arguments), env=more)
        request = RunJobRequest(name=self._job, overrides=RunJobRequest.Overrides(container_overrides=[override]))
        with errors(f"csat {arguments[0]} was not started", _ROLES, _CALL_SECONDS) as limits:
            self.name = self._open_jobs().run_job(request, **limits).metadata.name
        return self.name

    def end(self) -> "Execution":
        """Wait for the execution to end. Failed requests are an error only after many in a row."""
        read = Retrying(
            retry=retry_if_exception_type(BackendError),
            stop=stop_after_attempt(_MAX_FAILURES),
            wait=wait_fixed(_POLL_SECONDS),
            sleep=self._sleep,
            reraise=True,
        )
        until_ended = Retrying(
            retry=retry_if_result(lambda run: not run.completion_time),
            wait=wait_fixed(_POLL_SECONDS),
            sleep=self._sleep,
        )
        return until_ended(read, self._read)

    def cancel(self) -> None:
        """Cancel the execution if it is running."""
        if self.name:
            with errors(f"{self.name} was not cancelled", _ROLES, _CALL_SECONDS) as limits:
                self._executions().cancel_execution({"name": self.name}, **limits)

    def _read(self) -> "Execution":
        with errors(f"{self.name} cannot be read", _ROLES, _CALL_SECONDS) as limits:
            run: Execution = self._executions().get_execution({"name": self.name}, **limits)
        return run

    def _executions(self) -> Any:
        if self._client is None:
            self._client = self._open_executions()
        return self._client
