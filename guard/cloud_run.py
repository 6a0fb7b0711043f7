"""How Airflow calls csat where no environment of it is beside: as one run of a Cloud Run job, with these words."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from guard.backends import BackendError
from guard.google_api import errors

if TYPE_CHECKING:
    from google.cloud.run_v2.types import Execution

_CALL_SECONDS = 30
_POLL_SECONDS = 5
_MOST_FAILURES = 20  # in a row
_ROLES = "roles/run.jobsExecutorWithOverrides and roles/run.viewer on CSAT_COMMAND_JOB"


def open_jobs() -> Any:
    """The client of Cloud Run's jobs."""
    from google.cloud.run_v2 import JobsClient

    return JobsClient()


def open_executions() -> Any:
    """The client of their runs."""
    from google.cloud.run_v2 import ExecutionsClient

    return ExecutionsClient()


class CommandRun:
    """One run of csat in the job `job` (projects/P/locations/R/jobs/J). Every method may raise BackendError."""

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

    def start(self, words: Sequence[str]) -> str:
        """Start `csat <words>`; the name of the run."""
        from google.cloud.run_v2.types import RunJobRequest

        own = RunJobRequest.Overrides.ContainerOverride(args=list(words))
        request = RunJobRequest(name=self._job, overrides=RunJobRequest.Overrides(container_overrides=[own]))
        with errors(f"csat {words[0]} was not started", _ROLES, _CALL_SECONDS) as limits:
            self.name = self._open_jobs().run_job(request, **limits).metadata.name
        return self.name

    def end(self) -> "Execution":
        """The run, once it has ended. That it cannot be asked is an error only after a while: it goes on meanwhile."""
        failures = 0
        while True:
            try:
                run = self._read()
                failures = 0
            except BackendError:
                failures += 1
                if failures >= _MOST_FAILURES:
                    raise
            else:
                if run.completion_time:
                    return run
            self._sleep(_POLL_SECONDS)

    def cancel(self) -> None:
        """End the run, where it has begun and not ended."""
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
