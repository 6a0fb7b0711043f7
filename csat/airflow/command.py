"""Runs the pipeline's command line from Airflow. Each has its own environment, since the two cannot share one.

The pipeline's environment is on the same machine, or with CSAT_COMMAND_JOB in the image of a Cloud Run job.
"""

import json
import os
import shlex
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

from csat.airflow.cloud_run import CommandRun
from csat.contract.settings import ROOT, get_settings
from csat.control.state_files import StateFiles

PROGRAM = str(ROOT / ".venv" / "bin" / "csat")
RESULT_ID = "CSAT_RESULT_ID"
_TERM_SECONDS = 10


class CsatCommandOperator(BaseOperator):
    """Runs `csat <command>`, logs its output in the task's log, and fails unless it exits with 0.

    With --json among the arguments the result (and XCom) is the JSON on its standard output. `program` is the
    executable; empty: the pipeline environment's. In a Cloud Run job the output is in Cloud Logging: the task's log
    has the link, and the result comes through the state files.
    """

    template_fields = ("command",)

    def __init__(self, *, command: Sequence[str], program: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.command = list(command)
        self.program = program
        self._process: subprocess.Popen[str] | None = None
        self._run: CommandRun | None = None
        self._is_killed = False

    def execute(self, context: Any) -> Any:
        """Run the command to its end. It is killed with all its children when the task is killed or times out."""
        job = get_settings().command_job
        started = time.monotonic()
        self.log.info("$ %s", self._text)
        result = self._call(CommandRun(job)) if job and not self.program else self._start()
        self.log.info("%s succeeded after %.0f s.", self._text, time.monotonic() - started)
        return result

    @property
    def _text(self) -> str:
        """The command as a person types it."""
        return shlex.join(["csat", *self.command])

    def _call(self, run: CommandRun) -> Any:
        self._run = run
        result_id = f"{self.dag_id}.{self.task_id}:{uuid.uuid4().hex}" if "--json" in self.command else ""
        try:
            self.log.info("Started %s", run.start(self.command, **({RESULT_ID: result_id} if result_id else {})))
            if self._is_killed:  # killed before `start` returned
                run.cancel()
            end = run.end()
        except BaseException:  # Airflow's timeout is not a subclass of Exception
            self.on_kill()
            raise
        self.log.info("Its output: %s", end.log_uri)
        if not end.succeeded_count:
            raise AirflowException(f"{self._text} failed; its log: {end.log_uri}")
        return self._result(result_id) if result_id else None

    def _result(self, result_id: str) -> Any:
        uri = get_settings().state_files
        result = StateFiles(uri).command_result(result_id)
        if result is None:
            raise AirflowException(f"{self._text} kept no result {result_id} in {uri}")
        return result.document

    def _start(self) -> Any:
        arguments = [self.program or PROGRAM, *self.command]
        with subprocess.Popen(
            arguments,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,  # the task's own is its connection to Airflow
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            self._process = process
            try:
                if self._is_killed:  # killed before the process was known
                    self._end()
                lines = self._follow(process)
                code = process.wait()
            finally:
                self._end()
        if code != 0:
            raise AirflowException(f"{self._text} exited with {code}; its log is above")
        return last_json(lines) if "--json" in self.command else None

    def on_kill(self) -> None:
        """End the command's process group: SIGTERM, then SIGKILL; or cancel its Cloud Run execution."""
        self._is_killed = True
        if self._run is not None:
            self._run.cancel()
        self._end()

    def _end(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_TERM_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _follow(self, process: subprocess.Popen[str]) -> list[str]:
        reader = threading.Thread(target=self._log_lines, args=(process.stderr,), daemon=True)
        reader.start()
        lines = self._log_lines(process.stdout)
        reader.join()
        return lines

    def _log_lines(self, stream: Iterable[str] | None) -> list[str]:
        lines = []
        for line in stream or ():
            self.log.info("%s", line.rstrip("\n"))
            lines.append(line)
        return lines


def last_json(lines: Sequence[str]) -> Any:
    """All lines as JSON, or the last line that is JSON; raises AirflowException if there is none."""
    for text in ("".join(lines), *reversed(lines)):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            continue
    raise AirflowException("the command was called with --json but printed no JSON")
